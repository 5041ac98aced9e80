import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { JsonSchemas } from './json-schemas.js';

describe('named schemas', () => {
  it('become one component each, whoever refers to them', () => {
    const schemas = new JsonSchemas();
    const named = z.string().meta({ id: 'Named' });
    expect(schemas.of(z.object({ one: named, two: z.array(named).optional() }))).toEqual({
      type: 'object',
      properties: { one: { $ref: '#/components/schemas/Named' }, two: { type: 'array', items: { $ref: '#/components/schemas/Named' } } },
      required: ['one'],
    });
    expect(schemas.of(named)).toEqual({ $ref: '#/components/schemas/Named' });
    expect(schemas.components).toEqual({ Named: { type: 'string' } });
  });

  it('are refused where two that differ claim one name', () => {
    const schemas = new JsonSchemas();
    schemas.of(z.string().meta({ id: 'Claimed' }));
    schemas.of(z.string().meta({ id: 'Claimed' }));
    expect(() => schemas.of(z.number().meta({ id: 'Claimed' }))).toThrow('Claimed');
  });
});
