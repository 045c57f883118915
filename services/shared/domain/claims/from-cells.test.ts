import { expect, test } from 'vitest';
import { solarFacts, windFacts } from '#test/support/claims.ts';
import { claimColumns, claimFromCells } from './from-cells.ts';

const common = {
  'Installation date': '02/03/2026',
  'Installation address': '12 Example Street',
  Suburb: 'Newcastle West',
  State: 'NSW',
  Postcode: '2302',
  'Installation type': 'new',
  'Complete unit': 'Yes',
  'Installer name': 'Ann Installer',
  'Installer accreditation number': 'A1234567',
  'Designer accreditation number': 'A1234567',
  'Accredited design and installation': 'Y',
  'Owner name': 'Owen Owner',
  'Owner contact': 'owen@example.org',
  Claimant: 'Owner',
};
const solar = {
  ...common,
  'Type of system': 'Solar',
  'Rated power output in kW': '6.6',
  'Deeming period': 'max',
  'System brand': 'Sunward Energy Pty Ltd',
  'System model': 'panel-100',
  'Panel serial numbers': 'SW-0001; SW-0002;',
  'Number of panels': '2',
  'Inverter manufacturer': 'Gridline Power',
  'Inverter model': 'inverter-100',
  'Inverter serial numbers': 'GP-0001',
};

function read(row: Readonly<Record<string, string>>) {
  const known = new Map(claimColumns.map(({ field, heading }) => [field, heading]));
  for (const heading of Object.keys(row)) expect([...known.values()]).toContain(heading);
  return claimFromCells((field) => row[known.get(field)!] ?? '');
}

const unstated = (facts: ReturnType<typeof solarFacts>) => ({
  ...facts,
  equipment: facts.equipment.map((item) => ({ ...item, quantity: -1 })),
});

test('a row is the claim that JSON with the same facts is', () => {
  expect(read(solar)).toEqual({ claim: unstated(solarFacts()) });
  const wind = {
    ...common,
    'Type of system': 'wind',
    'Rated power output in kW': '2.9',
    'Deeming period': '5',
    'System brand': 'Breezeworks',
    'System model': 'turbine-100',
    'Equipment module serial number': 'BW-1',
  };
  expect(read(wind)).toEqual({ claim: unstated(windFacts()) });
});

test('every column of a battery, of Solar Credits and of an assignment finds its place', () => {
  const reading = read({
    ...common,
    'Type of system': 'Battery',
    'System brand': 'Storewell',
    'System series': 'S',
    'System model': 'battery-100',
    'Battery serial numbers': 'ST-1',
    'Nominal capacity in kWh': '13.5',
    'Certificate of compliance date': '03/03/2026',
    Claimant: 'agent',
    'Assignment date': '04/03/2026',
    'Assignment reference': 'R-1',
    Verified: 'No',
    'Programmes for the unit': 'None',
    'Programmes at the premises': 'SHCP; NSSP',
    'Contract date': '01/02/2011',
    'Number of certificates': '0',
  });
  expect(reading).toMatchObject({
    claim: {
      compliance_on: '2026-03-03',
      nominal_kwh: '13.5',
      assigned_on: '2026-03-04',
      assignment: 'R-1',
      verified: false,
      claimed_certificates: 0,
      credits: {
        unit_programmes: 'none',
        premises_programmes: 'SHCP NSSP',
        contract_on: '2011-02-01',
      },
      equipment: [{ product: 'battery', holder: 'Storewell', series: 'S', serials: ['ST-1'] }],
    },
  });
});

test.each([
  ['month first', { 'Installation date': '03/31/2026' }, 'Installation date', 'dd/mm/yyyy'],
  ['without padding', { 'Installation date': '2/3/2026' }, 'Installation date', 'dd/mm/yyyy'],
  ['no such day', { 'Installation date': '29/02/2025' }, 'Installation date', 'dd/mm/yyyy'],
  ['no date', { 'Installation date': '' }, 'Installation date', 'is needed'],
  ['no kind', { 'Type of system': '' }, 'Type of system', 'is needed'],
  ['another kind', { 'Type of system': 'geothermal' }, 'Type of system', 'one of solar'],
  ['neither yes nor no', { 'Complete unit': 'maybe' }, 'Complete unit', 'Yes or No'],
  ['a damaged number', { 'Number of panels': '2.0' }, 'Number of panels', 'whole number'],
  ['a decimal comma', { 'Rated power output in kW': '6,6' }, 'Rated power output in kW', 'decimal'],
  ['a short postcode', { Postcode: '230' }, 'Postcode', 'four digits'],
  ['an empty serial', { 'Panel serial numbers': 'A;;B' }, 'Panel serial numbers', 'number 2 of'],
  ['a long serial', { 'Panel serial numbers': 'A'.repeat(101) }, 'Panel serial numbers', 'number 1 of'],
  ['a long brand', { 'System brand': 'A'.repeat(201) }, 'System brand', '200 characters'],
  ['a long inverter', { 'Inverter model': 'A'.repeat(201) }, 'Inverter model', '200 characters'],
])('%s: one fault, in the words of the file', (_, change, column, message) => {
  const reading = read({ ...solar, ...change });
  if (!('reasons' in reading)) throw new Error('the row was taken');
  expect(reading.reasons.map(({ field }) => field)).toEqual([column]);
  expect(reading.reasons[0]!.message).toContain(message);
  expect(reading.reasons[0]!.message).toContain(column);
});

test('all faults of a row are told at once', () => {
  const reading = read({ ...solar, 'Installation date': 'soon', Postcode: 'x', 'Complete unit': '?' });
  expect('reasons' in reading && reading.reasons.map(({ field }) => field).sort()).toEqual([
    'Complete unit',
    'Installation date',
    'Postcode',
  ]);
});

test('headings are different, also as they are compared', () => {
  const spellings = claimColumns.flatMap(({ heading, aliases }) => [heading, ...aliases]);
  expect(new Set(spellings.map((text) => text.toLowerCase())).size).toBe(spellings.length);
});
