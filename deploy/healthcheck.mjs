// The container's health is the service's readiness.
const answer = await fetch(`http://127.0.0.1:${process.env.LATCHKEY_PORT}/health/ready`).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);
