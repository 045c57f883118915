-- The two tables that every row goes into have a few dozen columns each. A wide part has files for each of them, and most
-- of what an insert costs afterwards is merging small parts into such. Below this size, about two million rows, a part is
-- one file; those above are wide as before, and take less space.
ALTER TABLE serial_rows MODIFY SETTING min_bytes_for_wide_part = 134217728;
ALTER TABLE supplier_entries MODIFY SETTING min_bytes_for_wide_part = 134217728;
