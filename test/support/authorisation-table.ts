import type { CallOptions } from './described-api.ts';

/** Who asks. `administrator`, `user` and `key` are of one supplier: its contact, a plain user, nobody in particular. */
export const roles = [
  'nobody',
  'stranger',
  'general',
  'pending',
  'administrator',
  'user',
  'key',
  'vsp',
  'inverters',
  'agent',
  'regulator',
  'operator',
] as const;
export type Role = (typeof roles)[number];

/** What somebody gets: a reason code, or a status when the request went well. */
type Outcome = string | number;

export interface Row {
  /** A request in good shape that would do no harm: whoever may ask is told what is wrong with it, or is answered. */
  readonly request?: Omit<CallOptions, 'key' | 'params'>;
  /** Where one outcome is not enough. Whoever is not named is refused for the kind of account. */
  readonly outcomes: Readonly<Partial<Record<Role, Outcome>>>;
}

const all = (outcome: Outcome, ...names: readonly Role[]) =>
  Object.fromEntries(names.map((role) => [role, outcome])) as Row['outcomes'];

const keyed = roles.slice(2);
const suppliers = ['administrator', 'user', 'key'] as const;
const staff = ['regulator', 'operator'] as const;
const uploaders = [...suppliers, 'vsp', 'inverters'] as const;
const plain = ['user', 'key', 'vsp', 'inverters', 'agent'] as const;
const administrators = ['general', 'pending', 'administrator'] as const;

const everybody = (outcome: Outcome): Row['outcomes'] => all(outcome, ...roles);
/** Whoever waits to become a VSP is told so wherever a VSP may go. */
const waiting = { pending: 'application_pending' } as const;

const contact = { name: 'Ann', email: 'ann@example.org', phone: '' };
const csv = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\nA,H,M,S\n';

/** Every operation of the API, and what each role gets for it. */
export const authorisation: Readonly<Record<string, Row>> = {
  getLimits: { outcomes: everybody(200) },
  getReasons: { outcomes: everybody(200) },
  getCatalogues: { outcomes: everybody(200) },
  listDeclarations: { outcomes: everybody(200) },
  computeEntitlements: { request: { body: { calculations: [{}] } }, outcomes: everybody(200) },
  signUp: {
    request: { body: { name: 'A', email: 'a@example.org', account_name: 'A', terms: 'none' } },
    outcomes: everybody('terms_not_agreed'),
  },

  createAccount: {
    request: { body: { name: 'A', kinds: ['vsp'] } },
    outcomes: all('general_account_missing', ...staff),
  },
  listAccounts: { outcomes: all(200, ...staff) },
  getAccount: { outcomes: all(200, ...keyed) },
  changeContact: {
    request: { body: { user: '00000000-0000-7000-8000-000000000000' } },
    outcomes: all('user_unknown', ...staff),
  },
  recordCecDetails: {
    request: { body: { abn: '00000000000' } },
    outcomes: { ...all('administrator_needed', ...plain), ...all('abn_invalid', ...administrators) },
  },

  whoAmI: { outcomes: all(200, ...keyed) },
  registerUser: { request: { body: { name: 'A', email: 'a@example.org' } }, outcomes: all(201, ...staff) },
  permitUser: {
    request: { body: { administrator: true } },
    outcomes: {
      ...all('administrator_needed', ...plain, ...staff),
      ...all('users_before_assessment', 'general', 'pending'),
      administrator: 'user_unknown',
    },
  },
  removeUser: {
    outcomes: {
      ...all('administrator_needed', ...plain, ...staff),
      ...all('resource_not_found', ...administrators),
    },
  },

  lodgeApplication: {
    request: { body: { kinds: ['agent'], legal_name: 'A', abn: '51824753556', contact } },
    outcomes: {
      ...all('administrator_needed', ...plain),
      ...all('general_account_missing', ...administrators),
    },
  },
  listApplications: { outcomes: { regulator: 200 } },
  assessApplication: {
    request: { body: { decision: 'approved' } },
    outcomes: { regulator: 'resource_not_found' },
  },

  grantAuthority: {
    request: { body: { supplier: 'A', from: '2026-02-01', to: '2026-01-01' } },
    outcomes: { regulator: 'period_invalid' },
  },
  endAuthority: { request: { body: { to: '2026-12-31' } }, outcomes: { regulator: 'resource_not_found' } },
  nameProvider: {
    outcomes: { ...all('administrator_needed', 'user', 'key'), administrator: 'resource_not_found' },
  },
  withdrawProvider: {
    outcomes: { ...all('administrator_needed', 'user', 'key'), administrator: 'resource_not_found' },
  },

  createSubscription: {
    request: { body: { name: 'A', terms: 'none' } },
    outcomes: all('terms_not_agreed', ...keyed),
  },
  rotateKey: { outcomes: all('resource_not_found', ...keyed) },
  revokeSubscription: { outcomes: all('resource_not_found', ...keyed) },
  createKey: {
    request: { body: { label: 'A', user: '00000000-0000-7000-8000-000000000000' } },
    outcomes: { operator: 'user_unknown' },
  },
  revokeKey: { outcomes: all('resource_not_found', ...keyed) },

  getApiDeclaration: { outcomes: { ...all(200, ...uploaders), ...waiting } },
  declareForApi: {
    request: { body: { declaration: 'none' } },
    outcomes: { ...all('declaration_not_current', ...uploaders), ...waiting },
  },

  createSubmission: {
    request: { body: csv, headers: { 'content-type': 'text/csv' } },
    outcomes: {
      ...all('declaration_missing', ...suppliers, 'vsp'),
      inverters: 'product_not_registered',
      ...waiting,
    },
  },
  listSubmissions: { outcomes: { ...all(200, ...uploaders, 'regulator'), ...waiting } },
  getSubmission: { outcomes: { ...all('resource_not_found', ...uploaders, 'regulator'), ...waiting } },
  registerSerials: {
    request: { body: { rows: [] } },
    outcomes: {
      ...all('api_declaration_missing', ...suppliers, 'vsp'),
      inverters: 'product_not_registered',
      ...waiting,
    },
  },
  getSubmissionFile: { outcomes: { ...all('resource_not_found', ...uploaders, 'regulator'), ...waiting } },
  getReport: { outcomes: { ...all('resource_not_found', ...uploaders, 'regulator'), ...waiting } },

  createStream: {
    request: { body: csv, headers: { 'content-type': 'text/csv', 'idempotency-key': 'k' } },
    outcomes: {
      ...all('api_declaration_missing', ...suppliers, 'vsp'),
      inverters: 'product_not_registered',
      ...waiting,
    },
  },
  getStream: { outcomes: { ...all('resource_not_found', ...uploaders, 'regulator'), ...waiting } },
  listStreamSubmissions: {
    outcomes: { ...all('resource_not_found', ...uploaders, 'regulator'), ...waiting },
  },

  invalidateSerials: {
    request: {
      body: {
        product: 'panel',
        reason: 'none',
        serials: [{ supplier: 'A', holder: 'H', model: 'M', serial: 'S' }],
      },
      headers: { 'idempotency-key': 'k' },
    },
    outcomes: {
      ...all('marking_reason_unknown', ...suppliers, 'vsp'),
      inverters: 'product_not_registered',
      ...waiting,
    },
  },

  lookUpSerials: {
    request: { body: { product: 'panel', serials: ['S'] } },
    outcomes: { ...all(200, ...uploaders, 'regulator'), ...waiting },
  },
  getSerial: { outcomes: { ...all(200, ...uploaders, 'regulator'), ...waiting } },
  searchSerials: {
    request: { query: { product: 'panel' } },
    outcomes: { ...all(200, ...uploaders, 'regulator'), ...waiting },
  },

  createClaim: { request: { body: {} }, outcomes: { agent: 'request_invalid' } },
  createClaimFile: {
    request: { body: 'Colour\nred\n', headers: { 'content-type': 'text/csv' } },
    outcomes: { agent: 'headings_missing' },
  },
  listClaims: { outcomes: all(200, 'agent', 'regulator') },
  getClaim: { outcomes: all('resource_not_found', 'agent', 'regulator') },
  getClaimHistory: { outcomes: all('resource_not_found', 'agent', 'regulator') },
  withdrawClaim: { request: { body: {} }, outcomes: { agent: 'resource_not_found' } },
  reassessClaim: { request: { body: {} }, outcomes: all('resource_not_found', 'agent', 'regulator') },
  ruleOnClaim: {
    request: { body: { ruling: 'refuse', reason: 'A' } },
    outcomes: { regulator: 'resource_not_found' },
  },
  auditClaim: {
    request: { body: { result: 'passed', reason: 'A' } },
    outcomes: { regulator: 'resource_not_found' },
  },
  registerCertificates: { request: { body: { reason: 'A' } }, outcomes: { regulator: 'resource_not_found' } },

  getRegisterActions: { request: { query: { date: '2026-01-01' } }, outcomes: everybody(200) },
  getRegisteredAgents: { outcomes: everybody(200) },
  getCertificate: { outcomes: all('resource_not_found', 'agent', 'regulator') },
  getUnit: { outcomes: all('resource_not_found', 'agent', 'regulator') },

  ruleOnModel: {
    request: { body: { ruling: 'eligible', product: 'panel', holder: 'H', model: 'M', reason: ' ' } },
    outcomes: { regulator: 'request_invalid' },
  },
  ruleOnSerial: {
    request: { body: { ruling: 'eligible', product: 'panel', serial: 'S', reason: ' ' } },
    outcomes: { regulator: 'request_invalid' },
  },
  ruleOnConflict: {
    request: { body: { ruling: 'resolve', product: 'panel', holder: 'H', serial: 'S', reason: 'A' } },
    outcomes: { regulator: 'resource_not_found' },
  },
  listRulings: { outcomes: { regulator: 200 } },
  listConflicts: { outcomes: { regulator: 200 } },
  reportUnknownSerials: { outcomes: { regulator: 200 } },
  explainSerial: { outcomes: { ...all(200, ...uploaders, 'agent', 'regulator'), ...waiting } },

  listSilentHolders: { outcomes: { regulator: 200 } },
};

export function outcomeOf(operation: string, role: Role): Outcome {
  const { outcomes } = authorisation[operation]!;
  if (outcomes[role] !== undefined) return outcomes[role];
  if (role === 'nobody') return 'credentials_missing';
  return role === 'stranger' ? 'credentials_unknown' : 'not_permitted';
}
