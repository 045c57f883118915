import { describe, expect, test } from 'vitest';
import { apiDeclarationOf } from '#gateway/declarations/api-users.ts';
import type { Channel, Product } from '#shared/domain/serials.ts';
import { accountOf } from '#test/support/accounts.ts';
import { type Account, type AccountKind, uploaderKinds } from './account.ts';
import { kindsOfProduct, permitUpload } from './upload.ts';

const now = Date.parse('2026-11-24T01:00:00Z');
const accounts = {
  now: () => now,
  authoritiesOf: ({ authorities }: Account) => authorities,
  apiDeclarationOf: (account: Account) => apiDeclarationOf(account, now),
};

const declared = (account: Account, at: string): Account => ({
  ...account,
  apiDeclarations: [{ text: 'api-users-1', at: Date.parse(at), by: 'user:ann' }],
});

const permit = (account: Account, channel: Channel, declaration?: string, product: Product = 'panel') =>
  permitUpload(
    accounts,
    { account, key: 'k', user: 'u' },
    { product, channel, ...(declaration === undefined ? {} : { declaration }) },
  );

const acme = accountOf('acme', 'supplier', { suppliers: ['Acme'] });

describe('who may upload what', () => {
  test.each<[AccountKind, Product, boolean]>([
    ['supplier', 'panel', true],
    ['vsp', 'panel', true],
    ['vsp', 'inverter', false],
    ['vsp', 'battery', false],
    ['inverter_supplier', 'panel', false],
    ['inverter_supplier', 'inverter', true],
    ['inverter_supplier', 'battery', true],
    ['agent', 'panel', false],
    ['general', 'panel', false],
  ])('%s, %s: %s', (kind, product, may) => {
    const answer = permit({ ...acme, kinds: ['general', kind] }, 'csv', 'file-upload-1', product);
    if (may) expect(answer).toHaveProperty('sender');
    else
      expect(answer).toMatchObject({
        refused: 'product_not_registered',
        facts: { needed: kindsOfProduct(product) },
      });
  });

  test('whoever waits for the assessment is told so', () => {
    const lodged = { id: 'x', legalName: 'A', abn: '', lodgedAt: 1, lodgedBy: 'user:u' };
    const contact = { name: '', email: '', phone: '' };
    const waiting = {
      ...acme,
      kinds: ['general', 'vsp'],
      applications: [{ ...lodged, contact, kinds: ['general', 'inverter_supplier'] }],
    } as const;
    expect(permit(waiting, 'csv', 'file-upload-1', 'inverter')).toMatchObject({
      refused: 'application_pending',
      facts: { application: 'x' },
    });
    expect(permit(waiting, 'csv', 'file-upload-1')).toHaveProperty('sender');
  });

  test('whoever may upload something is an uploader', () => {
    const kinds = (['panel', 'inverter', 'battery'] as const).flatMap(kindsOfProduct);
    expect([...new Set(kinds)].sort()).toEqual([...uploaderKinds].sort());
  });
});

describe('declarations', () => {
  test.each([
    [undefined, 'declaration_missing'],
    ['', 'declaration_missing'],
    ['file-upload-0', 'declaration_not_current'],
    ['api-users-1', 'declaration_not_current'],
  ])('a file with the declaration %s: %s', (declaration, refused) => {
    const current = declared(acme, '2026-11-01T00:00:00Z');
    for (const channel of ['csv', 'portal'] as const)
      expect(permit(current, channel, declaration)).toMatchObject({
        refused,
        facts: { current: 'file-upload-1' },
      });
  });

  test('a file with the present one; who declares is the user of the key', () => {
    expect(permit(acme, 'csv', 'file-upload-1')).toMatchObject({
      declaration: 'file-upload-1',
      declaredBy: 'user:u',
    });
    const nobody = permitUpload(
      accounts,
      { account: acme, key: 'k' },
      { product: 'panel', channel: 'csv', declaration: 'file-upload-1' },
    );
    expect(nobody).toMatchObject({ declaredBy: 'key:k' });
  });

  test.each(['json', 'stream'] as const)('%s: the declaration for API users', (channel) => {
    expect(permit(acme, channel, 'file-upload-1')).toMatchObject({
      refused: 'api_declaration_missing',
      facts: { result: 'Unsuccessful', renew: '/v1/declarations/api-users' },
    });
    expect(permit(declared(acme, '2026-08-24T00:00:00Z'), channel)).toMatchObject({
      declaration: 'api-users-1',
      declaredBy: 'user:ann',
    });
    expect(permit(declared(acme, '2026-08-23T00:00:00Z'), channel)).toMatchObject({
      refused: 'api_declaration_expired',
      detail: 'it was made on 2026-08-23 and ended with 2026-11-23',
      facts: { result: 'Unsuccessful', until: '2026-11-23' },
    });
  });

  test('the kind of account comes first', () => {
    expect(permit(accountOf('g', 'general'), 'csv')).toMatchObject({ refused: 'product_not_registered' });
  });
});

test.each([
  [['Acme'], 'Acme'],
  [['Acme', 'Bright'], 'Verifier'],
  [[], 'Verifier'],
])('rows that name no supplier, authority for %o: those of %s', (suppliers, supplier) => {
  const account = accountOf('v', 'vsp', { name: 'Verifier', suppliers });
  expect(permit(account, 'csv', 'file-upload-1')).toMatchObject({ sender: { supplier } });
});
