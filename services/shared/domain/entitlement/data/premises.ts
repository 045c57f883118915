/** A place as the premises rules count it: with Solar Credits of its own, or why not. */
export interface PremisesKind {
  readonly kind: string;
  readonly eligible: boolean;
  readonly rule: string;
  readonly why: string;
}

const own = (rule: string, kind: string, why: string): PremisesKind => ({ kind, eligible: true, rule, why });
const none = (rule: string, kind: string, why: string): PremisesKind => ({
  kind,
  eligible: false,
  rule,
  why,
});

const atHome = 'belongs to the house or dwelling it is in and is no premises of its own';
const insideWhole = 'belongs to the one premises of the whole establishment';
const notFixed = 'is never eligible premises';

/** PREM-1 to PREM-8. Column `premises` takes these words. */
export const premisesKinds: readonly PremisesKind[] = [
  own('PREM-1', 'house', 'a house with its land and outbuildings is one'),
  own('PREM-1', 'townhouse', 'each townhouse is one'),
  own('PREM-1', 'flat', 'each flat is one'),
  own('PREM-1', 'unit', 'each residential unit is one'),
  own('PREM-1', 'apartment', 'each apartment is one'),
  own('PREM-1', 'retirement_village_unit', 'each dwelling of a retirement village is one'),
  none('PREM-1', 'home_office', atHome),
  none('PREM-1', 'home_business', atHome),
  own('PREM-2', 'shop', 'each shop is one'),
  own('PREM-2', 'mall_shop', 'each shop of a mall is one'),
  none('PREM-2', 'shop_in_dwelling', atHome),
  own('PREM-3', 'factory', 'one for the address, however many street numbers it covers'),
  own('PREM-3', 'office', 'one for the address, however many street numbers it covers'),
  own('PREM-3', 'business', 'one for the address, however many street numbers it covers'),
  own('PREM-3', 'business_unit', 'each separate unit with a business of its own is one'),
  own('PREM-4', 'motel', 'the whole establishment is one'),
  own('PREM-4', 'hotel', 'the whole establishment is one'),
  own('PREM-4', 'resort', 'the whole establishment is one'),
  own('PREM-4', 'caravan_park', 'the whole establishment is one'),
  own('PREM-4', 'nursing_home', 'the whole establishment is one'),
  own('PREM-4', 'hostel', 'the whole establishment is one'),
  own('PREM-4', 'hospital', 'the whole establishment is one'),
  own('PREM-4', 'restaurant', 'the whole establishment is one'),
  none('PREM-4', 'hotel_room', insideWhole),
  none('PREM-4', 'cabin', insideWhole),
  none('PREM-4', 'villa', insideWhole),
  none('PREM-4', 'parked_caravan', insideWhole),
  none('PREM-4', 'nursing_home_room', insideWhole),
  own('PREM-5', 'school', 'the site is one, also when several organisations share it'),
  own('PREM-5', 'church', 'the site is one, also when several organisations share it'),
  own('PREM-5', 'club', 'the site is one, also when several organisations share it'),
  own('PREM-5', 'hall', 'the site is one, also when several organisations share it'),
  own('PREM-5', 'community_site', 'the site is one, also when several organisations share it'),
  own('PREM-6', 'farm_dairy', 'separate from the house at the same address'),
  own('PREM-6', 'owners_house', 'separate from the caravan park at the same address'),
  own('PREM-6', 'green_keepers_house', 'separate from the golf course at the same address'),
  own('PREM-6', 'separate_business_building', 'a larger business building apart from the house'),
  none('PREM-7', 'outbuilding', 'is subordinate to a main building and no premises of its own'),
  none('PREM-7', 'garage', 'is subordinate to a main building and no premises of its own'),
  none('PREM-7', 'studio', 'is subordinate to a main building and no premises of its own'),
  none('PREM-8', 'street_light', notFixed),
  none('PREM-8', 'street_sign', notFixed),
  none('PREM-8', 'mobile_phone_tower', notFixed),
  none('PREM-8', 'boat', notFixed),
  none('PREM-8', 'car', notFixed),
  none('PREM-8', 'trailer', notFixed),
  none('PREM-8', 'mobile_home', notFixed),
  none('PREM-8', 'caravan', notFixed),
  none('PREM-8', 'wheeled_vehicle', notFixed),
];
