import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { withCorrelation } from '@latchkey/messaging';
import { QueryFailedError } from 'typeorm';
import { createLogger } from './index.js';

function lines(work: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const stream = new PassThrough();
  work(createLogger('cookie', 'info', stream));
  return (stream.read() as Buffer).toString().trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  it('has service, level, time, message and the correlation id of the act', () => {
    const [line] = lines((logger) => withCorrelation('act-1', () => logger.info('hello', { type: 'x' })));
    expect(line).toEqual({ service: 'cookie', level: 'info', time: expect.stringMatching(/Z$/), msg: 'hello', type: 'x', correlationId: 'act-1' });
  });

  it('tells of a failed query without its parameters, nor the values that the driver quotes', () => {
    const driverError = Object.assign(new Error('duplicate key value violates unique constraint'), { code: '23505', detail: 'Key (cookie)=(s3cret) already exists.' });
    const error = new QueryFailedError('insert into cookies values ($1)', ['s3cret'], driverError);
    const text = JSON.stringify(lines((logger) => logger.error('no', {}, error)));
    expect(text).toContain('duplicate key');
    expect(text).not.toContain('s3cret');
  });

  it('says nothing below its level', () => {
    expect(lines((logger) => (logger.debug('quiet'), logger.info('loud'))).map((line) => line['msg'])).toEqual(['loud']);
  });
});
