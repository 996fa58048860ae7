import { parseBody } from './json-body.js';

const parse = (text: string) => parseBody(Buffer.from(text));
const malformed = expect.objectContaining({ code: 'MALFORMED_REQUEST' });

describe('parseBody', () => {
  it('reads JSON, and nothing as nothing', () => {
    expect(parse('{"a":[1,"x",null]}')).toEqual({ a: [1, 'x', null] });
    expect(parse('')).toBeUndefined();
  });

  it('refuses what is no JSON, no UTF-8, or changes prototypes', () => {
    for (const text of ['{', '{"a":01}', "{'a':1}", '{"a":1}{}', '\u{feff}1x', '{"__proto__":{"admin":true}}', '{"\\u005f_proto__":{}}']) {
      expect(() => parse(text)).toThrow(malformed);
    }
    expect(() => parseBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow(malformed);
  });

  it('does not round numbers silently', () => {
    expect(parse('{"quantity":1.00000000000000001}')).toEqual({ quantity: Number.NaN });
    expect(parse('[12345678901234567,123456789012345,"12345678901234567"]')).toEqual([Number.NaN, 123456789012345, '12345678901234567']);
    expect(parse('[100000000000000000000]')).toEqual([1e20]);
  });
});
