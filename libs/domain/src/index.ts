export * from './calendar.js';
export * from './currency.js';
export * from './errors.js';
export * from './ids.js';
export * from './money.js';
export * from './quantity.js';
export * from './text.js';
