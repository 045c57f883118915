/**
 * The version that every result names. It rises with every figure of the tables in this folder that changes; a test compares the
 * fingerprint with the tables, so that neither is forgotten.
 */
export const ruleSetVersion = 'sres-1';
export const ruleSetFingerprint = 'c96974a3665b6042';
