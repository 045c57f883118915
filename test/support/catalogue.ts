import { readFileSync } from 'node:fs';
import { parseCatalogue } from '#gateway/changes/catalogue.ts';
import { gatewaySettings } from '#gateway/config.ts';

/** The catalogue that a gateway has unless it is given another. */
export const catalogue = parseCatalogue(readFileSync(gatewaySettings.catalogueFile.fallback!, 'utf8'));
