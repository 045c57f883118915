/**
 * The catalogue of reasons: whatever the ledger refuses, decides or remarks on is said with one of these codes, in one
 * sentence, with what its reader should do. A code never changes its meaning and is never used again for another.
 * What is said about certificates has catalogues of its own: claims/findings.ts and entitlement/reasons.ts.
 *
 * Kinds: `request`, the whole request was refused and nothing was stored; `row`, the gateway's finding on one row;
 * `outcome`, what became of a row (SER-5); `remark`, a note on a row that changes nothing; `application`, what the
 * assessor of an application should look at.
 */
export const reasonKinds = ['request', 'row', 'outcome', 'remark', 'application'] as const;
export type ReasonKind = (typeof reasonKinds)[number];

export interface ReasonEntry {
  readonly code: string;
  readonly kind: ReasonKind;
  /** Of a request: the HTTP status of its refusal. */
  readonly status?: number;
  readonly sentence: string;
  readonly hint: string;
}

const requestReasons = [
  {
    code: 'request_invalid',
    status: 400,
    sentence: 'The request does not have the shape that the API description gives.',
    hint: 'Correct what `errors` names; the description is served at /openapi.json.',
  },
  {
    code: 'credentials_missing',
    status: 401,
    sentence: 'The request carries no key.',
    hint: 'Send the key of your subscription in the header Authorization (Bearer) or Ocp-Apim-Subscription-Key.',
  },
  {
    code: 'credentials_unknown',
    status: 401,
    sentence: 'The key is not known, or was revoked.',
    hint: 'Check that the whole key was copied; ask for a new one if it was revoked.',
  },
  {
    code: 'not_permitted',
    status: 403,
    sentence: 'An account of this kind may not do this.',
    hint: 'Use the key of an account of one of the kinds named in `permitted`.',
  },
  {
    code: 'application_pending',
    status: 403,
    sentence: 'The application for the kind of account that this needs has not been assessed yet.',
    hint: 'Wait for the assessment; its state is shown with the applications of the account.',
  },
  {
    code: 'administrator_needed',
    status: 403,
    sentence:
      'Only the nominated contact of the account, or a user with administrator permission, may do this.',
    hint: 'Ask one of them, or use a key that belongs to one of them.',
  },
  {
    code: 'owner_needed',
    status: 403,
    sentence: 'The keys of a subscription are shown only to the user who made it.',
    hint: 'Make a subscription of your own; an administrator can revoke those of others.',
  },
  {
    code: 'product_not_registered',
    status: 403,
    sentence: 'The account is not registered to provide serial numbers of this product.',
    hint: 'Apply for one of the kinds of account named in `needed`.',
  },
  {
    code: 'api_declaration_missing',
    status: 403,
    sentence: 'No Declaration for API Users was ever made for this account, so nothing was taken.',
    hint: 'Make the declaration at the address in `renew`, then repeat the request.',
  },
  {
    code: 'api_declaration_expired',
    status: 403,
    sentence: 'The Declaration for API Users of this account has expired, so nothing was taken.',
    hint: 'Make the declaration again at the address in `renew`, then repeat the request; it holds for 3 months.',
  },
  {
    code: 'resource_not_found',
    status: 404,
    sentence: 'There is nothing at this address that this account may see.',
    hint: 'Check the address; what was accepted a moment ago may take a second to be shown.',
  },
  {
    code: 'register_day_not_over',
    status: 404,
    sentence: 'The register shows the actions of a day once it is over in Sydney, with an hour to settle.',
    hint: 'Ask for an earlier day, or ask again tomorrow.',
  },
  {
    code: 'body_too_slow',
    status: 408,
    sentence: 'The body came so slowly that it was not waited for.',
    hint: 'Send it again; at least `limit` bytes must come in `seconds` seconds.',
  },
  {
    code: 'account_changed',
    status: 409,
    sentence: 'The account was changed by somebody else at the same moment.',
    hint: 'Look at the account as it is now, and repeat the request if it is still wanted.',
  },
  {
    code: 'subscription_name_taken',
    status: 409,
    sentence: 'A subscription of the account has this name already.',
    hint: 'Choose a name that tells the subscriptions apart.',
  },
  {
    code: 'subscriptions_too_many',
    status: 409,
    sentence: 'The account has as many subscriptions as an account can have.',
    hint: 'Revoke those that are not used any more; `limit` is how many there can be.',
  },
  {
    code: 'kinds_held',
    status: 409,
    sentence: 'The account is of all these kinds already.',
    hint: 'Nothing to do; `held` names the kinds of the account.',
  },
  {
    code: 'application_open',
    status: 409,
    sentence: 'An earlier application of the account has not been assessed yet.',
    hint: 'Wait for the assessment of the one named in `application`.',
  },
  {
    code: 'application_assessed',
    status: 409,
    sentence: 'The application was assessed before.',
    hint: 'Nothing to do; `decision` says how.',
  },
  {
    code: 'users_before_assessment',
    status: 409,
    sentence: 'Users can be added only after an application of the account was approved.',
    hint: 'Apply for the kind of account that you need, and add users once it was assessed.',
  },
  {
    code: 'users_too_many',
    status: 409,
    sentence: 'The account has as many users as an account can have.',
    hint: 'Remove users who are not needed any more; `limit` is how many there can be.',
  },
  {
    code: 'authorities_too_many',
    status: 409,
    sentence: 'The account has as many authorities as an account can have.',
    hint: 'Grant authority for a holder as a whole where models are named one by one.',
  },
  {
    code: 'keys_shown_before',
    status: 409,
    sentence: 'A request with this Idempotency-Key has made keys before, and keys are shown only once.',
    hint: 'If they were not received, ask again with a new Idempotency-Key, and revoke `subscription` of `account`.',
  },
  {
    code: 'stream_position',
    status: 409,
    sentence: 'The stream can not go on at this row.',
    hint: 'Send what follows row `committed_row`, or send everything again without `from_row`.',
  },
  {
    code: 'stream_taken_over',
    status: 409,
    sentence: 'The stream goes on over another connection.',
    hint: 'Nothing to do; this connection is not needed any more.',
  },
  {
    code: 'selection_changed',
    status: 409,
    sentence: 'What matches the search is not what was seen to match, so no more of it is marked.',
    hint: 'Search again, look at what matches now, and repeat the request with its count and a new Idempotency-Key; what was marked up to `committed_row` stays so.',
  },
  {
    code: 'contact_stays',
    status: 409,
    sentence: 'The nominated contact of an account cannot be removed from it.',
    hint: 'Ask the agency to change the nominated contact first.',
  },
  {
    code: 'claim_not_in_state',
    status: 409,
    sentence: 'The claim is in a state in which this cannot happen to it.',
    hint: 'Look at the claim; `permitted` names the states in which the request is taken.',
  },
  {
    code: 'claim_changed',
    status: 409,
    sentence: 'The claim was assessed again after the assessment that the request names.',
    hint: 'Look at the claim as it is now, and repeat the request with the `assessment` named here if it is still wanted.',
  },
  {
    code: 'body_too_large',
    status: 413,
    sentence: 'The body is larger than the limit.',
    hint: 'Split the data; `limit` is in bytes, and all limits are served at /v1/limits.',
  },
  {
    code: 'inflates_too_far',
    status: 413,
    sentence: 'The compressed body grows beyond what data of its kind does.',
    hint: 'Send it without compression, or in parts; `limit` is how many times its size it may become.',
  },
  {
    code: 'too_many_rows',
    status: 413,
    sentence: 'The file has more rows than the limit, so nothing of it was stored.',
    hint: 'Split the file so that each part has at most `limit` rows.',
  },
  {
    code: 'media_type_unsupported',
    status: 415,
    sentence: 'The body is of a kind that this address does not take.',
    hint: 'Send one of the media types that the API description names for this address.',
  },
  {
    code: 'encoding_unsupported',
    status: 415,
    sentence: 'The body is compressed in a way that this address does not take.',
    hint: 'Send it as it is, or with Content-Encoding: gzip; a form is not compressed.',
  },
  {
    code: 'file_not_csv',
    status: 415,
    sentence: 'The file is not a CSV file.',
    hint: 'In the spreadsheet program save it as "CSV UTF-8 (comma delimited)" and upload that .csv file.',
  },
  {
    code: 'file_encoding_unknown',
    status: 422,
    sentence: 'The text of the file is in an encoding that is not taken.',
    hint: 'Save the file as "CSV UTF-8"; `position` is the first byte that does not fit, counted from 0, and `line` is where it stands.',
  },
  {
    code: 'gzip_broken',
    status: 422,
    sentence: 'The compressed data is broken, or its end is missing.',
    hint: 'Compress the data again and send it again; `position` is where it can not be read on.',
  },
  {
    code: 'file_empty',
    status: 422,
    sentence: 'The file has no rows below its headings.',
    hint: 'Upload a file with one row of headings and at least one row of data.',
  },
  {
    code: 'headings_missing',
    status: 422,
    sentence: 'Not all headings are there.',
    hint: 'Add the headings named in `missing`; the first row must hold the headings, separated by commas, semicolons or tabs.',
  },
  {
    code: 'headings_unknown',
    status: 422,
    sentence: 'The file has headings that a file of this kind does not have.',
    hint: 'Remove or rename the columns named in `unknown`.',
  },
  {
    code: 'headings_repeated',
    status: 422,
    sentence: 'A heading stands in the file more than once.',
    hint: 'Keep each column named in `repeated` once.',
  },
  {
    code: 'quotes_broken',
    status: 422,
    sentence: 'A quotation mark is not closed, or is followed by other text.',
    hint: 'Correct the row that begins at `line`; inside quotation marks a quotation mark is written twice.',
  },
  {
    code: 'record_too_long',
    status: 422,
    sentence: 'A row of the file is far longer than any row of serial numbers.',
    hint: 'Correct the row that begins at `line`.',
  },
  {
    code: 'blank_lines_too_many',
    status: 422,
    sentence: 'There are far more blank lines than rows.',
    hint: 'Leave blank lines out; beyond `limit` there may be a hundred for each row.',
  },
  {
    code: 'file_damaged',
    status: 422,
    sentence:
      'So many serial numbers look changed by a spreadsheet program that nothing of the file was stored.',
    hint: 'Export the data again with all columns as text; `sample` shows rows and what is wrong with them. Where serial numbers of two lengths are right, upload each length in a file of its own.',
  },
  {
    code: 'rows_faulty',
    status: 422,
    sentence: 'Rows have faults, and the upload was to be taken as a whole or not at all.',
    hint: 'Correct the rows named in `rows`, or upload with onError=proceed to have the other rows taken.',
  },
  {
    code: 'idempotency_key_reused',
    status: 422,
    sentence: 'The Idempotency-Key was used before with another body.',
    hint: 'Use a new key for new data; the first submission stands as it was.',
  },
  {
    code: 'marking_reason_unknown',
    status: 422,
    sentence: 'The catalogue has no such reason for marking as invalid, so nothing was marked.',
    hint: 'Give one of the `invalidation_reasons` served at /v1/catalogues, by its id or its label.',
  },
  {
    code: 'marking_note_missing',
    status: 422,
    sentence: 'The reason says nothing without a note, so nothing was marked.',
    hint: 'Say why in `note`.',
  },
  {
    code: 'declaration_missing',
    status: 422,
    sentence: 'The upload carries no declaration, so nothing of it was read.',
    hint: 'Read the text named in `current` at /v1/declarations, and name it in the field `declaration`.',
  },
  {
    code: 'declaration_not_current',
    status: 422,
    sentence: 'The text that is declared is not the one that holds today.',
    hint: 'Read the text named in `current` at /v1/declarations, and name it in the request.',
  },
  {
    code: 'terms_not_agreed',
    status: 422,
    sentence: 'The terms of use were not agreed to in their present wording.',
    hint: 'Read the text named in `terms` at /v1/declarations, and name it in the field `terms`.',
  },
  {
    code: 'general_account_missing',
    status: 422,
    sentence: 'Every account of a member is a general account besides.',
    hint: 'Name `general` among the kinds.',
  },
  {
    code: 'staff_kind_alone',
    status: 422,
    sentence: 'An account of the agency is of one kind only.',
    hint: 'Make an account of its own for each kind.',
  },
  {
    code: 'abn_invalid',
    status: 422,
    sentence: 'The number is not an Australian Business Number.',
    hint: 'Give its 11 digits as registered; the check digits do not fit.',
  },
  {
    code: 'cec_details_incomplete',
    status: 422,
    sentence: 'Details of the company as the CEC holds them are missing, or were confirmed too long ago.',
    hint: 'Record those named in `missing` and `stale` for the account, then apply again.',
  },
  {
    code: 'refusal_without_reason',
    status: 422,
    sentence: 'An application is refused without a reason.',
    hint: 'Say in `reason` why it is refused.',
  },
  {
    code: 'user_unknown',
    status: 422,
    sentence: 'There is no such user at the Client Portal.',
    hint: 'Have the person sign up first, and use the id that they were given.',
  },
  {
    code: 'period_invalid',
    status: 422,
    sentence: 'The period ends before it begins.',
    hint: 'Correct `from` or `to`; both days are part of the period.',
  },
  {
    code: 'claim_of_other_unit',
    status: 422,
    sentence: 'Kind, place or installation date are those of another unit than the claim is about.',
    hint: 'Withdraw the claim, and make a new one for the other unit.',
  },
  {
    code: 'finding_not_open',
    status: 422,
    sentence: 'The assessment has no open question of that kind on that subject.',
    hint: 'Name findings whose effect is `ask`, as the claim shows them.',
  },
  {
    code: 'rate_limited',
    status: 429,
    sentence: 'There were too many requests.',
    hint: 'Wait for the seconds of the header Retry-After.',
  },
  {
    code: 'rows_limited',
    status: 429,
    sentence:
      'The account has sent as many rows as it may in so short a time, so nothing of this was stored.',
    hint: 'Repeat the request after the seconds of the header Retry-After; a stream is slowed down instead.',
  },
  {
    code: 'uploads_too_many',
    status: 429,
    sentence: 'The account has as many uploads under way as it may have at once.',
    hint: 'Repeat the request when one of them has ended; `limit` is how many there can be.',
  },
  {
    code: 'internal_error',
    status: 500,
    sentence: 'Something is wrong in the ledger itself.',
    hint: 'Repeat the request with its Idempotency-Key; name `correlation` when you ask for help.',
  },
  {
    code: 'not_ready',
    status: 503,
    sentence: 'This instance has just started and does not know all accounts yet.',
    hint: 'Repeat the request after the seconds of the header Retry-After.',
  },
  {
    code: 'overloaded',
    status: 503,
    sentence: 'Too many uploads are being read at this moment.',
    hint: 'Repeat the request after the seconds of the header Retry-After.',
  },
  {
    code: 'temporarily_unavailable',
    status: 503,
    sentence: 'A part of the ledger does not answer, and the request was not completed.',
    hint: 'Repeat the request, with the same Idempotency-Key, after the seconds of the header Retry-After.',
  },
] as const;

const rowReasons = [
  {
    code: 'cell_count_wrong',
    sentence: 'The row has more or fewer cells than there are headings.',
    hint: 'Put text that holds the separator between quotation marks, and give every column a cell.',
  },
  {
    code: 'cell_empty',
    sentence: 'The cell is empty.',
    hint: 'Fill it in.',
  },
  {
    code: 'cell_too_long',
    sentence: 'The text is longer than 100 characters.',
    hint: 'Give the text as it stands on the product and in the approved list.',
  },
  {
    code: 'cell_has_control_character',
    sentence: 'The text holds a line break or another character that cannot be seen.',
    hint: 'Type the text again instead of copying it.',
  },
  {
    code: 'serial_has_separator',
    sentence: 'The serial number holds a semicolon, which separates serial numbers on claims.',
    hint: 'Give one serial number in each row, without a semicolon.',
  },
  // Of changes, whose words stand in a catalogue.
  {
    code: 'reason_unknown',
    sentence: 'The catalogue has no such reason for this change.',
    hint: 'Give one of the reasons served at /v1/catalogues, by its id or its label.',
  },
  {
    code: 'status_unknown',
    sentence: 'The catalogue has no such status.',
    hint: 'Give one of the statuses served at /v1/catalogues, by its id or its label.',
  },
  {
    code: 'reason_not_for_status',
    sentence: 'The reason does not go with this status.',
    hint: 'Give one of the reasons that /v1/catalogues names with the status.',
  },
  {
    code: 'note_missing',
    sentence: 'The reason says nothing without a note.',
    hint: 'Say why in the column Note.',
  },
  {
    code: 'note_too_long',
    sentence: 'The note is longer than 500 characters.',
    hint: 'Say it in fewer words.',
  },
  // Of streams, whose rows are lines of JSON.
  {
    code: 'line_not_json',
    sentence: 'The line is not a JSON object.',
    hint: 'Write each row as one object on one line, without a comma behind it.',
  },
  {
    code: 'member_unknown',
    sentence: 'The object has a member that a row of this kind does not have.',
    hint: 'Leave it out, or write the name as the API description does.',
  },
  {
    code: 'member_not_text',
    sentence: 'The value is not a text.',
    hint: 'Put it between quotation marks: as a number a long serial number loses digits.',
  },
  // What spreadsheet programs and wrong encodings do to texts (section 12 of the domain rules).
  {
    code: 'serial_in_scientific_notation',
    sentence: 'The serial number was turned into a number in scientific notation, and its digits are lost.',
    hint: 'Export the data again with the column as text.',
  },
  {
    code: 'serial_is_date',
    sentence: 'The serial number was turned into a date.',
    hint: 'Export the data again with the column as text.',
  },
  {
    code: 'cell_is_formula',
    sentence: 'The cell holds a formula instead of a text.',
    hint: 'Give the text itself.',
  },
  {
    code: 'cell_text_lost',
    sentence: 'The cell holds the sign for a character that a program could not read.',
    hint: 'Type the text again, and save the file as "CSV UTF-8".',
  },
  {
    code: 'serial_encoding_uncertain',
    sentence:
      'The serial number holds a character whose meaning depends on an encoding that the file does not say.',
    hint: 'Save the file as "CSV UTF-8" and upload it again.',
  },
] as const;

const outcomeReasons = [
  {
    code: 'registered',
    sentence: 'The serial number is registered.',
    hint: 'Nothing to do.',
  },
  {
    code: 'duplicate',
    sentence: 'The serial number was registered before, for the same supplier.',
    hint: 'Nothing to do; remove the row if it should name another product.',
  },
  {
    code: 'conflict',
    sentence: 'The serial number is registered for another supplier.',
    hint: 'Check the serial number and the supplier name; the regulator has been shown both rows.',
  },
  {
    code: 'not_listed',
    sentence: 'The model is not on the approved list under this licensee or certificate holder.',
    hint: 'Write holder and model exactly as in the approved list, brackets included.',
  },
  {
    code: 'supplier_not_authorised',
    sentence: 'The account has no authority to upload for this supplier, holder or model.',
    hint: 'Check the cell that is named, or have the authority of the account extended by the regulator.',
  },
  {
    code: 'malformed',
    sentence: 'The row cannot be read as a serial number with its product.',
    hint: "Correct the cell that the row's own reason names.",
  },
  {
    code: 'invalidated',
    sentence: 'The serial number was marked as invalid.',
    hint: 'Corrected data can now be uploaded.',
  },
  {
    code: 'status_updated',
    sentence: 'The status of the serial number was changed.',
    hint: 'Nothing to do.',
  },
  {
    code: 'not_found',
    sentence: 'No serial number of this supplier is registered under this holder with this text.',
    hint: 'Check the serial number, the holder and the supplier.',
  },
  {
    code: 'not_yours',
    sentence: 'The serial number is registered for another supplier, so it was left as it is.',
    hint: 'Check the serial number.',
  },
  {
    code: 'already_invalid',
    sentence: 'The serial number was marked as invalid before.',
    hint: 'Nothing to do.',
  },
  {
    code: 'unchanged',
    sentence: 'The serial number has this status already.',
    hint: 'Nothing to do.',
  },
  {
    code: 'too_many_changes',
    sentence: 'The serial number was changed so often that no more changes are taken.',
    hint: 'Ask the regulator.',
  },
] as const;

const remarkReasons = [
  {
    code: 'serial_shared_between_holders',
    sentence: 'Another certificate holder has registered the same serial number.',
    hint: 'Nothing to do: both stand.',
  },
  {
    code: 'listing_not_yet_approved',
    sentence: 'The model was not approved yet on the day of receipt.',
    hint: 'Nothing to do: what counts for certificates is the day of installation.',
  },
  {
    code: 'listing_expired',
    sentence: 'The approval of the model had expired on the day of receipt.',
    hint: 'Check the model number, suffix included: installed after its expiry the model earns no certificates.',
  },
  {
    code: 'listing_gap',
    sentence: 'On the day of receipt the model was between two periods of approval.',
    hint: 'Nothing to do: what counts for certificates is the day of installation.',
  },
  {
    code: 'listing_withdrawn',
    sentence:
      'The approved list does not name the model any more, although the period it gave has not ended.',
    hint: 'Ask the certificate holder whether the approval still stands.',
  },
  {
    code: 'listing_series_differs',
    sentence: 'The approved list has the model in another series.',
    hint: 'Check the series against the approved list; it tells no models apart, so the row stands.',
  },
  {
    code: 'listing_brand_differs',
    sentence: 'The approved list has the model under another brand.',
    hint: 'Check brand and manufacturer against the approved list; the brand tells no models apart, so the row stands.',
  },
  {
    code: 'listed_with_other_case',
    sentence: 'The approved list writes the holder, the model or the series with other case or spaces.',
    hint: 'Nothing to do; write them as in the approved list next time.',
  },
] as const;

const applicationReasons = [
  {
    code: 'legal_name_differs',
    sentence: 'The legal entity name is not the company name that the CEC holds.',
    hint: 'Ask the applicant which of them is right.',
  },
  {
    code: 'abn_differs',
    sentence: 'The ABN is not the one that the CEC holds.',
    hint: 'Ask the applicant which of them is right.',
  },
  {
    code: 'contact_differs',
    sentence: 'The contact person is not the one nominated to the agency.',
    hint: 'Ask the company whom it nominates.',
  },
  {
    code: 'cec_details_missing',
    sentence: 'Details of the company as the CEC holds them were never recorded.',
    hint: 'Ask the applicant to record them.',
  },
  {
    code: 'cec_details_stale',
    sentence: 'Details of the company as the CEC holds them were confirmed too long ago.',
    hint: 'Ask the applicant to confirm them.',
  },
  {
    code: 'abn_used_elsewhere',
    sentence: 'Another account has applied with the same ABN.',
    hint: 'Check that both belong to the company.',
  },
] as const;

/** Remarks of the gateway: the field `note` of a record holds their codes, separated by spaces. */
const noteReasons = [
  {
    code: 'wrapper_removed',
    sentence: 'A sign by which spreadsheet programs mark text was taken off the cell.',
    hint: 'Nothing to do.',
  },
  {
    code: 'special_space_folded',
    sentence: 'The cell holds a no-break space or another special space, which counts as an ordinary one.',
    hint: 'Check that the text is complete; type it again instead of copying it next time.',
  },
  {
    code: 'serial_has_mixed_case',
    sentence: 'The serial number has capital and small letters, which count as the same.',
    hint: 'Check it against the label of the product.',
  },
  {
    code: 'serial_looks_like_exponent',
    sentence: 'A spreadsheet program would take the serial number for a number with an exponent.',
    hint: 'Keep the column as text whenever the file is opened.',
  },
  {
    code: 'serial_digits_rounded',
    sentence: 'The serial number ends in zeros, as if a spreadsheet program had rounded it to 15 digits.',
    hint: 'Check it against the label; mark it as invalid and upload the right one if it is wrong.',
  },
  {
    code: 'serial_zeros_lost',
    sentence: 'The serial number is shorter than others of its model, as if leading zeros had been lost.',
    hint: 'Check it against the label; mark it as invalid and upload the right one if it is wrong.',
  },
  {
    code: 'serial_length_unusual',
    sentence: 'The serial number is longer or shorter than almost all others of its model.',
    hint: 'Check it against the label; mark it as invalid and upload the right one if it is wrong.',
  },
  {
    code: 'serial_look_alike',
    sentence:
      'The serial number has a letter where others of its model have a digit that looks like it, or the other way round.',
    hint: 'Check O and 0, I and 1 against the label; mark it as invalid and upload the right one if it is wrong.',
  },
  {
    code: 'model_looks_like_date',
    sentence: 'The model number looks like a date that a spreadsheet program has made of it.',
    hint: 'Check it against the approved list.',
  },
  {
    code: 'decoded_as_windows_1252',
    sentence: 'The file does not say its encoding, and was read as Windows-1252.',
    hint: 'Check letters with accents, and save the file as "CSV UTF-8" next time.',
  },
] as const;

export type RequestReason = (typeof requestReasons)[number]['code'];
export type ApplicationReason = (typeof applicationReasons)[number]['code'];
export type RowReason = (typeof rowReasons)[number]['code'] | 'supplier_not_authorised';
export type RowNote = (typeof noteReasons)[number]['code'];

export const reasons: readonly ReasonEntry[] = [
  ...requestReasons.map((entry) => ({ ...entry, kind: 'request' as const })),
  ...rowReasons.map((entry) => ({ ...entry, kind: 'row' as const })),
  ...outcomeReasons.map((entry) => ({ ...entry, kind: 'outcome' as const })),
  ...remarkReasons.map((entry) => ({ ...entry, kind: 'remark' as const })),
  ...applicationReasons.map((entry) => ({ ...entry, kind: 'application' as const })),
  ...noteReasons.map((entry) => ({ ...entry, kind: 'remark' as const })),
];

const byCode: ReadonlyMap<string, ReasonEntry> = new Map(reasons.map((entry) => [entry.code, entry]));

/** The entry of a code that came through the log: undefined when an older release wrote one that is not known here. */
export function findReason(code: string): ReasonEntry | undefined {
  return byCode.get(code);
}

export function requestReason(code: RequestReason): ReasonEntry & { readonly status: number } {
  return byCode.get(code) as ReasonEntry & { readonly status: number };
}
