/**
 * What people declare or agree to: data. A version is never changed once somebody could have declared it; a new wording
 * is a new version with the Sydney day from which it holds.
 */
export const textKinds = ['file_upload', 'api_users', 'terms_of_use'] as const;
export type TextKind = (typeof textKinds)[number];

export interface DeclarationText {
  /** Names the version, in requests and in the logs. */
  readonly id: string;
  readonly kind: TextKind;
  readonly from: string;
  readonly title: string;
  readonly text: string;
}

/** DECL-3; the words about reasonable steps are the guidance's, the rest is ours. */
export const declarationTexts: readonly DeclarationText[] = [
  {
    id: 'file-upload-1',
    kind: 'file_upload',
    from: '2026-01-01',
    title: 'Declaration for file uploads',
    text:
      'I declare that all reasonable steps have been taken and all reasonable enquiries have been made to confirm the truth and ' +
      'accuracy of the data provided by Approved Entities prior to uploading the data, that I am authorised to make this ' +
      'declaration for the account, and that the data in this file is, to the best of my knowledge, true and complete. I ' +
      'understand that giving false or misleading information is a serious offence.',
  },
  {
    id: 'api-users-1',
    kind: 'api_users',
    from: '2026-01-01',
    title: 'Declaration for API Users',
    text:
      'I declare that all reasonable steps have been taken and all reasonable enquiries have been made to confirm the truth and ' +
      'accuracy of the data provided by Approved Entities prior to uploading the data, and that the same will be done for ' +
      'all data uploaded by way of the application program interface for as long as this declaration is current. I am ' +
      'authorised to make this declaration for the account. I understand that giving false or misleading information is a ' +
      'serious offence, and that this declaration must be made again every 3 months.',
  },
  {
    id: 'terms-of-use-1',
    kind: 'terms_of_use',
    from: '2026-01-01',
    title: 'Terms of use of the Serial Number Ledger',
    text:
      'Keys are given to be used by the subscriber alone and are to be kept secret; a key that others may know is to be ' +
      'rotated or revoked at once. What is done with a key is done in the name of the account. The limits of the interface are ' +
      'to be kept. The agency may revoke a subscription that endangers the ledger or its other users.',
  },
];

/** The wording that holds on a Sydney day: the newest that has begun. */
export function currentText(
  kind: TextKind,
  day: string,
  texts: readonly DeclarationText[] = declarationTexts,
): DeclarationText | undefined {
  return texts
    .filter((text) => text.kind === kind && text.from <= day)
    .toSorted((a, b) => (a.from < b.from ? -1 : 1))
    .at(-1);
}
