import path from 'node:path';
import { root } from '../engines/local.ts';

/** The list of inverters that the project ships. */
export const inverterList = path.join(root, 'deploy', 'lists', 'synthetic_inverters_20260423.csv');

/** Stands in it. */
export const listedInverter = {
  holder: 'Brightgrid Power Electronics Co Ltd',
  series: 'BG',
  model: 'BG-5000TL (AS4777-2 2020)',
} as const;

/** A file of inverters of that model. */
export function inverterFile(serials: readonly string[]): string {
  const { holder, model, series } = listedInverter;
  const rows = serials.map((serial) => `${holder},${model},${series},${serial}`);
  return `Manufacturer,Model,Series,Serial number\n${rows.join('\n')}\n`;
}

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
