/** The variables by which the test runner tells suites where their servers are. */
export const TEST_VARIABLES = {
  /** An administrator's connection string of the test PostgreSQL. */
  databaseUrl: 'LATCHKEY_TEST_DATABASE_URL',
  /** An administrator's AMQP address of the test RabbitMQ. */
  amqpUrl: 'LATCHKEY_TEST_AMQP_URL',
  /** Origin of the same broker's management API. */
  managementUrl: 'LATCHKEY_TEST_RABBITMQ_MANAGEMENT_URL',
  /** A file to which suites that are left out write their names, one JSON line each. */
  leftOutFile: 'LATCHKEY_TEST_LEFT_OUT_FILE',
} as const;

/** The value of a test variable; throws, saying how to get one, where it is not set. */
export function requiredTestVariable(name: keyof typeof TEST_VARIABLES): string {
  const value = process.env[TEST_VARIABLES[name]];
  if (!value) throw new Error(`${TEST_VARIABLES[name]} is not set: run this suite with \`npm test -- <project>\`.`);
  return value;
}
