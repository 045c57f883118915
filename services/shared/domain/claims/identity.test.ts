import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimOf, solarFacts } from '#test/support/claims.ts';
import { claimIdOf, claimPartition, isClaimId, premisesOf, slotOf, unitOf, unitOfClaim } from './identity.ts';

test('a unit is one installation: spelling does not matter, kind, place and day do', () => {
  const unit = unitOf(solarFacts());
  expect(unitOf(solarFacts({ address: ' 12  example STREET ', owner: 'Another' }))).toBe(unit);
  expect(unitOf(solarFacts({ installed_on: '2026-03-03' }))).not.toBe(unit);
  expect(unitOf(solarFacts({ postcode: '2303' }))).not.toBe(unit);
  expect(unitOf(solarFacts({ unit_kind: 'battery' }))).not.toBe(unit);
});

test('premises are a place, whatever stands on them', () => {
  expect(premisesOf(solarFacts({ unit_kind: 'battery', installed_on: '2026-01-01' }))).toBe(
    premisesOf(solarFacts()),
  );
  expect(premisesOf(solarFacts())).not.toBe(unitOf(solarFacts()));
});

test('a claim id leads to its unit, and so to its partition', () => {
  const claim = claimOf(solarFacts());
  expect(isClaimId(claim.claim)).toBe(true);
  expect(unitOfClaim(claim.claim)).toBe(claim.unit);
  expect(claimIdOf(claim.unit, 'a')).not.toBe(claimIdOf(claim.unit, 'b'));
  expect(isClaimId('no claim')).toBe(false);
});

test('partitions are within bounds and evenly used', () => {
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 6_000; i++) counts[claimPartition(`unit-${i}`, 6)]! += 1;
  for (const count of counts) expect(count).toBeGreaterThan(850);
});

test('parts of an address or a slot cannot run together', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 6 }),
      fc.string({ maxLength: 6 }),
      fc.string({ maxLength: 6 }),
      (a, b, c) => {
        expect(slotOf(a, `${b}${c}`) === slotOf(`${a}${b}`, c)).toBe(b === '');
      },
    ),
  );
});
