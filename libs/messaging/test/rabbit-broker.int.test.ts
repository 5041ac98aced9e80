import { describeWithRabbit } from '@latchkey/kits';
import { describeBrokerContract } from './broker-contract.js';
import { RabbitBus } from './rabbit-bus.js';

describeWithRabbit('RabbitMQ', () => {
  describeBrokerContract('RabbitBroker', async (settings) => {
    const bus = await RabbitBus.open();
    return { broker: bus.connect(settings), dispose: () => bus.dispose() };
  });
});
