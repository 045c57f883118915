/**
 * The version that every result names. It rises with every change to the tables of this folder; a test compares the fingerprint
 * with the tables, so that neither is forgotten.
 */
export const ruleSetVersion = 'sres-1';
export const ruleSetFingerprint = '936b403f9dbd56fe';
