import { standardSettings } from '@latchkey/service-defaults';

/** What the device registry is configured with: it has no settings of its own. */
export const deviceRegistrySettings = standardSettings(8083);
