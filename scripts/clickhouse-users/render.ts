import { hash } from 'node:crypto';
import type { SettingPlan, UserPlan } from './users.ts';

/** Passwords by user. */
export type Passwords = ReadonlyMap<string, string>;

function passwordHash(passwords: Passwords, { name }: UserPlan): string {
  const password = passwords.get(name);
  if (!password) throw new Error(`there is no password for ${name}`);
  return hash('sha256', password, 'hex');
}

const quotaLimits = ['queries', 'read_rows', 'execution_time'] as const;

/**
 * The users as statements for a server that manages users itself; each may be run again, and puts right what somebody has
 * changed. Names and figures are ours, and of a password only its hash is in the text.
 */
export function usersSql(users: readonly UserPlan[], passwords: Passwords): readonly string[] {
  return users.flatMap((user) => {
    const { name, settings, quota, grants } = user;
    const profile = settings.map(settingSql).join(', ');
    const limits = quotaLimits.map((limit) => `${limit} = ${quota[limit]}`).join(', ');
    return [
      `CREATE SETTINGS PROFILE OR REPLACE ${name} SETTINGS ${profile}`,
      `CREATE USER OR REPLACE ${name} IDENTIFIED WITH sha256_hash BY '${passwordHash(passwords, user)}' SETTINGS PROFILE '${name}'`,
      ...grants.map((grant) => `GRANT ${grant} TO ${name}`),
      `CREATE QUOTA OR REPLACE ${name} KEYED BY user_name FOR INTERVAL 1 hour MAX ${limits} TO ${name}`,
    ];
  });
}

function settingSql({ name, value, least, most }: SettingPlan): string {
  const bounds = [least === undefined ? '' : ` MIN ${least}`, most === undefined ? '' : ` MAX ${most}`];
  return `${name} = ${value}${bounds.join('')}`;
}

/** The users as a file, for the local server, which takes them from nowhere else. `default` is as it is without a file. */
export function usersXml(users: readonly UserPlan[], passwords: Passwords): string {
  const profiles = users.map(
    ({ name, settings }) =>
      `    <${name}>\n${settings.map(({ name: setting, value }) => `      <${setting}>${value}</${setting}>\n`).join('')}      <constraints>\n${settings.map(constraintXml).join('')}      </constraints>\n    </${name}>\n`,
  );
  const quotas = users.map(
    ({ name, quota }) =>
      `    <${name}><interval><duration>3600</duration>${quotaLimits.map((limit) => `<${limit}>${quota[limit]}</${limit}>`).join('')}</interval></${name}>\n`,
  );
  const entries = users.map(
    (user) =>
      `    <${user.name}>\n      <password_sha256_hex>${passwordHash(passwords, user)}</password_sha256_hex>\n      <networks><ip>::/0</ip></networks>\n      <profile>${user.name}</profile>\n      <quota>${user.name}</quota>\n      <grants>\n${user.grants.map((grant) => `        <query>GRANT ${grant}</query>\n`).join('')}      </grants>\n    </${user.name}>\n`,
  );
  return `<clickhouse>
  <profiles>
    <default></default>
${profiles.join('')}  </profiles>
  <quotas>
    <default></default>
${quotas.join('')}  </quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <named_collection_control>1</named_collection_control>
    </default>
${entries.join('')}  </users>
</clickhouse>
`;
}

function constraintXml({ name, least, most }: SettingPlan): string {
  if (least === undefined && most === undefined) return '';
  const bounds = [
    least === undefined ? '' : `<min>${least}</min>`,
    most === undefined ? '' : `<max>${most}</max>`,
  ];
  return `        <${name}>${bounds.join('')}</${name}>\n`;
}
