/** Claims for certificates: their shape, their schema check, and the rule that decides them. */
export { type Assessment, assessClaim } from './assess.ts';
export {
  accreditationCode,
  type CertificateNumbers,
  certificateYear,
  nextNumbers,
  sequenceOf,
} from './certificates.ts';
export type * from './claim.ts';
export { claimStatuses, noContext, noFacts, unitKinds } from './claim.ts';
export { type DecidedEvent, decideAgain, decideEvent } from './decide.ts';
export {
  auditEvent,
  claimEvent,
  refusalEvent,
  registrationEvent,
  type Sender,
  withdrawalEvent,
} from './events.ts';
export { type FindingCode, findingCatalogue } from './findings.ts';
export { type ClaimColumn, claimColumns, claimFromCells } from './from-cells.ts';
export {
  type ClaimFault,
  type ClaimReading,
  claimFromJson,
  claimJsonSchema,
  serialsMax as claimSerialsMax,
} from './from-json.ts';
export {
  claimIdOf,
  claimPartition,
  isClaimId,
  premisesOf,
  slotOf,
  unitOf,
  unitOfClaim,
} from './identity.ts';
export { type ModelKey, modelsOf } from './models.ts';
export { type ClaimRules, currentRules, rulesOf } from './rules.ts';
export { type ClaimedSerial, inLedger, serialsOf } from './serials.ts';
export type * from './state.ts';
export { emptyState, stateOf, stateText } from './state.ts';
