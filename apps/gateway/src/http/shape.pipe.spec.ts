import 'reflect-metadata';
import type { HoldfastError } from '#libs/domain';
import { Decision } from '../approvals/approval.dto.js';
import { NewItem } from '../catalogue/catalogue.dto.js';
import { NewOrder, NewOrderLine, OrdersQuery } from '../orders/order.dto.js';
import { AvailabilityQuery, StockQuery } from '../stock/stock.dto.js';
import { shaped, shapedList } from './shape.pipe.js';

const order = { customerId: 'c', lines: [{ itemId: 'a', quantity: '1' }] };
const line = (fields: object) => ({ ...order, lines: [{ itemId: 'a', quantity: '1', ...fields }] });

/** Path and message of what is wrong. */
function errorsOf(shape: new () => object, value: unknown): string[] {
  try {
    shaped(shape, value);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { errors } = (error as HoldfastError).details as { errors: { path: string; message: string }[] };
    return errors.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('shaped', () => {
  it('answers a plain object with decimals in their shortest form and no field that was not sent', () => {
    const read = shaped(NewOrder, { ...line({ quantity: 2.5, unitPrice: '9.90' }), customerContact: { email: 'ann@example.com' } });
    expect(JSON.stringify(read)).toBe(
      '{"customerId":"c","customerContact":{"email":"ann@example.com"},"lines":[{"itemId":"a","quantity":"2.5","unitPrice":"9.9"}]}',
    );
    expect(Object.keys(read)).toEqual(['customerId', 'customerContact', 'lines']);
    expect(Object.getPrototypeOf(read.lines[0])).toBe(Object.prototype);
  });

  it('refuses unknown fields, at any depth', () => {
    expect(errorsOf(NewOrder, { ...order, colour: 'red' })).toEqual(['colour is not a known field']);
    expect(errorsOf(NewOrder, line({ colour: 'red' }))).toEqual(['lines.0.colour is not a known field']);
    expect(errorsOf(NewOrder, { ...order, customerContact: { phone: '1' } })).toEqual(['customerContact.phone is not a known field']);
    expect(errorsOf(NewOrder, JSON.parse('{"constructor":{},"toString":1}'))).toEqual(
      expect.arrayContaining(['constructor is not a known field', 'toString is not a known field']),
    );
  });

  it('names every field that is wrong', () => {
    expect(errorsOf(NewOrder, { lines: [{ itemId: 'a b', quantity: 0 }, { quantity: 'x' }] })).toEqual([
      'customerId is missing',
      'lines.0.itemId must be an id: 1 to 64 of A-Z a-z 0-9 . _ : -',
      'lines.0.quantity must be greater than zero',
      'lines.1.itemId is missing',
      'lines.1.quantity must be a decimal below 10^12 with at most 4 decimals',
    ]);
  });

  it.each([
    ['null for an optional field', { ...order, priority: null }, 'priority'],
    ['a list for a text', { ...order, note: ['x'] }, 'note'],
    ['an object for a list', { ...order, lines: {} }, 'lines'],
    ['no lines', { ...order, lines: [] }, 'lines'],
    ['501 lines', { ...order, lines: Array.from({ length: 501 }, () => order.lines[0]) }, 'lines'],
    ['null in a list of objects', { ...order, lines: [null] }, 'lines'],
    ['numbers in a list of objects', { ...order, lines: [1] }, 'lines'],
    ['lists in a list of objects', { ...order, lines: [[order.lines[0]]] }, 'lines'],
    ['a number for an id', { ...order, customerId: 7 }, 'customerId'],
    ['an id of 65', { ...order, customerId: 'x'.repeat(65) }, 'customerId'],
    ['a control character', { ...order, note: 'a\u0000b' }, 'note'],
    ['half a surrogate pair', { ...order, note: 'a\ud800b' }, 'note'],
    ['a text that is too long', { ...order, note: 'x'.repeat(2001) }, 'note'],
    ['half an integer', { ...order, priority: 1.5 }, 'priority'],
    ['an integer as text', { ...order, priority: '1' }, 'priority'],
    ['an integer out of range', { ...order, priority: 101 }, 'priority'],
    ['an unknown choice', { ...order, reservationMode: 'some' }, 'reservationMode'],
    ['a day that does not exist', { ...order, requestedShipDate: '2026-02-30' }, 'requestedShipDate'],
    ['no e-mail address', { ...order, customerContact: { email: 'ann@' } }, 'customerContact.email'],
    ['text for an object', { ...order, customerContact: 'ann' }, 'customerContact'],
    ['a currency in small letters', { ...order, currency: 'eur' }, 'currency'],
    ['control characters deep in an address', { ...order, shippingAddress: { a: { b: ['\u0001'] } } }, 'shippingAddress'],
    ['half a surrogate pair in a name', { ...order, shippingAddress: { '\udc00': 1 } }, 'shippingAddress'],
    ['an address that is a list', { ...order, shippingAddress: [] }, 'shippingAddress'],
    ['an address that is too deep', { ...order, shippingAddress: { a: { b: { c: { d: { e: {} } } } } } }, 'shippingAddress'],
    ['a rounded number in an address', { ...order, shippingAddress: { a: Number.NaN } }, 'shippingAddress'],
  ])('refuses %s', (_, body, path) => {
    expect(errorsOf(NewOrder, body).map((error) => error.split(' ')[0])).toEqual([path]);
  });

  it('refuses what is no object', () => {
    for (const body of [[], [order], 'x', 1, true]) expect(errorsOf(NewOrder, body)).toEqual([' must be a JSON object']);
  });

  it('reads lists, and says where in the list something is wrong', () => {
    const list = [{ itemId: 'a', quantity: 1 }, { itemId: 'b', quantity: 0 }, 'c', { itemId: 'd', quantity: 2, color: 'red' }];
    expect(shapedList(NewOrderLine, list.slice(0, 1), 3)).toEqual([{ itemId: 'a', quantity: '1' }]);
    expect(shapedList(NewOrderLine, [], 3)).toEqual([]);
    const errors = [
      { path: '1.quantity', message: 'must be greater than zero' },
      { path: '2', message: 'must be a JSON object' },
      { path: '3.color', message: 'is not a known field' },
    ];
    expect(() => shapedList(NewOrderLine, list, 4)).toThrow(expect.objectContaining({ details: { errors } }));
    for (const wrong of [list, { 0: list[0] }, null, undefined, 'x']) {
      expect(() => shapedList(NewOrderLine, wrong, 3)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
    }
  });

  it('takes text in all languages, and lines of text', () => {
    expect(errorsOf(NewOrder, { ...order, note: 'Grüße 👋\nبصمة\t漢字' })).toEqual([]);
  });

  it('refuses blanks where something must be said', () => {
    const decide = (reason: string) => errorsOf(Decision, { reason });
    for (const reason of [' ', '\n\t ', '\u00a0']) expect(decide(reason)).toEqual(['reason must say something: it has nothing but blanks']);
    expect(decide('')).toEqual(['reason must have 1 to 500 characters']);
    expect(decide(' no stock \n')).toEqual([]);
    expect(errorsOf(NewOrder, { ...order, note: ' ' })).toEqual([]);
  });

  it('clears a field with null where that means something', () => {
    const item = { itemId: 'a', name: 'A' };
    expect(shaped(NewItem, { ...item, reorderPoint: null })).toEqual({ ...item, reorderPoint: null });
    expect(errorsOf(NewItem, { ...item, unit: null })).toEqual(['unit must be text']);
  });

  it('reads queries from text', () => {
    expect(shaped(StockQuery, { limit: '20', low: 'true', itemId: 'a' })).toEqual({ limit: 20, low: true, itemId: 'a' });
    expect(shaped(AvailabilityQuery, { itemId: 'a' })).toEqual({ itemId: ['a'] });
    expect(shaped(AvailabilityQuery, { itemId: ['a', 'b'], warehouseId: 'w' })).toEqual({ itemId: ['a', 'b'], warehouseId: ['w'] });
  });

  it.each([
    [StockQuery, { limit: '0' }, 'limit'],
    [StockQuery, { limit: '501' }, 'limit'],
    [StockQuery, { limit: '5x' }, 'limit'],
    [StockQuery, { limit: '' }, 'limit'],
    [StockQuery, { limit: ['1', '2'] }, 'limit'],
    [StockQuery, { low: 'yes' }, 'low'],
    [StockQuery, { low: '' }, 'low'],
    [StockQuery, { itemId: ['a', 'b'] }, 'itemId'],
    [StockQuery, { itemid: 'a' }, 'itemid'],
    [AvailabilityQuery, {}, 'itemId'],
    [AvailabilityQuery, { itemId: ['a', 'a'] }, 'itemId'],
    [AvailabilityQuery, { itemId: 'a b' }, 'itemId'],
    [OrdersQuery, { from: 'yesterday' }, 'from'],
    [OrdersQuery, { from: '2026-02-30T00:00:00Z' }, 'from'],
    [OrdersQuery, { status: 'lost' }, 'status'],
  ])('refuses %p %j', (shape, query, path) => {
    expect(errorsOf(shape, query).map((error) => error.split(' ')[0])).toEqual([path]);
  });
});
