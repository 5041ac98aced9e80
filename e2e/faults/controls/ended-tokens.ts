import { byLever, type Control } from './control.js';
import { playAgain, playing, purchase, refund, registered, renewed } from './scenes.js';

export const lostRefund: Control = {
  name: 'the issuer acknowledges refunds before it handles them, and then forgets them',
  invariant: 'I1',
  finding: /its refund was accepted, and it is issued/,
  ...byLever('token-issuer', 'ack-early', { types: ['purchase.refunded.v1'] }),
  provoke: async (scene) => {
    const order = await registered(scene);
    await purchase(scene, order, 'http');
    await refund(scene, order, 'amqp');
  },
};

const withoutRevokedTokens = byLever('license-server', 'ack-early', { types: ['token.revoked.v1'] });

export const refundedPlays: Control = {
  name: 'the licence server loses the end of tokens whose purchase is refunded',
  invariant: 'I8',
  finding: /in spite of refunded purchases/,
  ...withoutRevokedTokens,
  provoke: async (scene) => {
    const { order, held } = await playing(scene);
    await refund(scene, order, 'http');
    await playAgain(scene, held);
  },
};

export const supersededPlays: Control = {
  name: 'the licence server loses the end of superseded tokens',
  invariant: 'I8',
  finding: /in spite of superseded tokens/,
  ...withoutRevokedTokens,
  provoke: async (scene) => {
    const { order, held } = await playing(scene);
    await renewed(scene, order);
    await playAgain(scene, held);
  },
};

/** Carries out the end of a token when its successor is there: both in one transaction. */
const END_LATE = `
  drop index if exists tokens_one_live_per_purchase;
  create function faults_zz_end_late() returns trigger language plpgsql as $$
  begin
    update tokens set superseded_at = statement_timestamp()
      where purchase_id = new.purchase_id and token_id <> new.token_id and superseded_at is null;
    return null;
  end $$;
  create trigger faults_zz_end_late after insert on tokens for each row execute function faults_zz_end_late()`;
const END_IN_TIME = 'drop trigger faults_zz_end_late on tokens; drop function faults_zz_end_late';
const keepSuperseded = byLever('token-issuer', 'keep-superseded');

/** No look from outside sees it: what is live at once is so within one transaction. */
export const lateEnd: Control = {
  name: 'a renewal ends the old token after it has issued the new one',
  invariant: 'I2',
  finding: /were live at once/,
  sabotage: async (system) => {
    await system.sql('token-issuer', END_LATE);
    await keepSuperseded.sabotage(system);
  },
  provoke: async (scene) => {
    const { order } = await playing(scene);
    await renewed(scene, order);
  },
  restore: async (system) => {
    await keepSuperseded.restore(system);
    await system.sql('token-issuer', END_IN_TIME);
  },
};
