export { AmqpProxy } from './amqp-proxy.js';
export { Checkout } from './checkout.js';
export type { CheckoutMessage, PublishOutcome } from './checkout.js';
export { dumpSchema } from './dump-schema.js';
export { openCuttableProxy } from './cuttable-proxy.js';
export type { CuttableProxy } from './cuttable-proxy.js';
export { eventually } from './eventually.js';
export type { EventuallyOptions } from './eventually.js';
export { FakeDevice } from './fake-device.js';
export type { FakeLicenseAnswer, FakeLicenseRequest } from './fake-device.js';
export { hasDocker } from './has-docker.js';
export { describeWhere, describeWithRabbit } from './left-out-suites.js';
export { RabbitManagement } from './rabbit-management.js';
export type {
  BrokerPermissions,
  ListedBinding,
  ListedConnection,
  ListedExchange,
  ListedQueue,
} from './rabbit-management.js';
export { freePort } from './free-port.js';
export { startProcess } from './start-process.js';
export type { ProcessEnd, ProcessOptions, StartedProcess } from './start-process.js';
export { createTestDatabase } from './test-database.js';
export type { TestDatabase } from './test-database.js';
export { createTestVhost } from './test-vhost.js';
export type { TestVhost } from './test-vhost.js';
export { Explorer } from './interleavings/explore.js';
export type { Bounds, BrokenSchedule, Exploration, Scenario, World } from './interleavings/explore.js';
export type { Rewrite } from './interleavings/gate.js';
export { formatSchedule, parseSchedule } from './interleavings/schedule.js';
export type { Schedule } from './interleavings/schedule.js';
export type { Work } from './interleavings/run-schedule.js';
export { interleavingBounds, isLongForm } from './interleavings/bounds.js';
