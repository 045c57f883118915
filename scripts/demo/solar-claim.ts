/** Stands in the list of inverters that the project ships. */
export const listedInverter = {
  holder: 'Brightgrid Power Electronics Co Ltd',
  series: 'BG',
  model: 'BG-5000TL (AS4777-2 2020)',
} as const;

interface Units {
  readonly holder: string;
  readonly series?: string;
  readonly model: string;
  readonly serials: readonly string[];
}

/** Days are yyyy-mm-dd. */
export interface SolarSystem {
  readonly installed: string;
  readonly assigned: string;
  readonly address: string;
  readonly panels: Units;
  readonly inverters: Units;
}

/** A claim of an agent as the API takes it. It states everything: only the ledger can speak against it. */
export function solarClaim({ installed, assigned, address, panels, inverters }: SolarSystem): object {
  return {
    unit_kind: 'solar',
    installed_on: installed,
    address,
    locality: 'Newcastle West',
    state: 'NSW',
    postcode: '2302',
    installation_type: 'New',
    complete_unit: true,
    rated_power_kw: '6.6',
    deeming: 'max',
    panel_count: panels.serials.length,
    panels: [{ ...panels, quantity: panels.serials.length }],
    inverters: [inverters],
    installer: 'Ann Installer',
    installer_accreditation: 'A1234567',
    designer_accreditation: 'A1234567',
    accredited: true,
    owner: 'Owen Owner',
    owner_contact: 'owen@example.org',
    claimant: 'agent',
    assignment: 'REC-ASSIGNMENT-1',
    assigned_on: assigned,
  };
}
