import type { Scope } from '../operation-contract.js';
import {
  changeKeyParameters,
  changeKeyRules,
  deleteKeysParameters,
  entitlementParameters,
  listKeysParameters,
  recordParameters,
  recordRules,
  showKeysParameters,
  storeKeyParameters,
  storeKeyRules,
} from './other-parameters.js';
import type { CombinationRule, ExpressPlayParameter } from './parameter.js';
import { type ExpressPlayDrm, expressPlayDrms, redemptionParameters } from './shared-parameters.js';
import { fairPlayTokenParameters, ignoredTokenParameters, playReadyTokenParameters, tokenRules, widevineTokenParameters } from './token-parameters.js';

/** What an endpoint is for: those that differ by their DRM alone are one. */
export type ExpressPlayEndpointId = 'token' | 'rights' | 'records' | 'storeKey' | 'listKeys' | 'showKeys' | 'changeKey' | 'deleteKeys' | 'entitlement';

/**
 * One endpoint of the ExpressPlay-shaped surface. The routes, the gate, the reading, the reference page and the tests of
 * access come from this list, so that none of them can leave one out.
 */
export interface ExpressPlayEndpoint {
  readonly id: ExpressPlayEndpointId;
  readonly drm?: ExpressPlayDrm;
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'DELETE')[];
  /** With parameters as `{name}`, and without the slash at its end, with which it is served as well. */
  readonly path: string;
  readonly summary: string;
  readonly scope: Scope;
  readonly body: 'form' | 'json' | 'none';
  readonly parameters: readonly ExpressPlayParameter[];
  readonly rules: readonly CombinationRule[];
  /** Known parameters that are passed over. */
  readonly ignored: readonly string[];
}

const tokenParameters: Readonly<Record<ExpressPlayDrm, readonly ExpressPlayParameter[]>> = {
  wv: widevineTokenParameters,
  pr: playReadyTokenParameters,
  fp: fairPlayTokenParameters,
};

const plain = { body: 'none', rules: [], ignored: [] } as const;

/** Every endpoint of the ExpressPlay-shaped surface, in the order of its reference. */
export const expressPlayEndpoints: readonly ExpressPlayEndpoint[] = [
  ...expressPlayDrms.map((drm): ExpressPlayEndpoint => ({
    id: 'token',
    drm,
    methods: ['GET', 'POST'],
    path: `/hms/${drm}/token`,
    summary: 'Ask for a token: with a cookie alone the dummy token, with a device id too one for content',
    scope: 'tokens',
    body: 'form',
    parameters: tokenParameters[drm],
    rules: tokenRules,
    ignored: ignoredTokenParameters[drm],
  })),
  ...expressPlayDrms.map((drm): ExpressPlayEndpoint => ({
    ...plain,
    id: 'rights',
    drm,
    methods: ['GET', 'POST'],
    path: `/hms/${drm}/rights`,
    summary: 'Redeem a token: the merchant’s licence server asks whether the device may have a licence',
    scope: 'licenses:verify',
    body: 'form',
    parameters: redemptionParameters(drm),
  })),
  { ...plain, id: 'records', methods: ['GET'], path: '/cmiapi/getrecord', summary: 'Record retrieval: the devices that registered', scope: 'devices', parameters: recordParameters, rules: recordRules },
  { ...plain, id: 'storeKey', methods: ['POST'], path: '/keystore/keys', summary: 'Store a key; one that exists is shown', scope: 'keys', body: 'json', parameters: storeKeyParameters, rules: storeKeyRules },
  { ...plain, id: 'listKeys', methods: ['GET'], path: '/keystore/keys', summary: 'The keys that were stored last', scope: 'keys', parameters: listKeysParameters },
  { ...plain, id: 'showKeys', methods: ['GET'], path: '/keystore/keys/{kid}', summary: 'Stored keys by their kids', scope: 'keys', parameters: showKeysParameters },
  { ...plain, id: 'changeKey', methods: ['PUT'], path: '/keystore/keys/{kid}', summary: 'Change a stored key', scope: 'keys', body: 'json', parameters: changeKeyParameters, rules: changeKeyRules },
  { ...plain, id: 'deleteKeys', methods: ['DELETE'], path: '/keystore/keys/{kid}', summary: 'Remove stored keys', scope: 'keys', parameters: deleteKeysParameters },
  { ...plain, id: 'entitlement', methods: ['POST'], path: '/sees/SEESServlet', summary: 'The sample entitlement server: where a player gets its token', scope: 'tokens', body: 'json', parameters: entitlementParameters },
];

/** The roots of the surface: whatever lies under them is answered in its manner. */
const roots = ['/hms', '/cmiapi', '/keystore', '/sees'] as const;

/** Whether a URL belongs to the surface, known or not. */
export function isExpressPlayUrl(url: string): boolean {
  const path = url.split('?', 1)[0]!;
  return roots.some((root) => path === root || path.startsWith(`${root}/`));
}
