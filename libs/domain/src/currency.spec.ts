import { currencyDecimals, fitsCurrency } from './currency.js';

describe('currency', () => {
  it.each([
    ['EUR', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['XYZ', 2],
  ])('%s has %d decimals', (currency, decimals) => expect(currencyDecimals(currency)).toBe(decimals));

  it.each([
    ['9.99', 'EUR', true],
    ['9.9900', 'EUR', true],
    ['100', 'JPY', true],
    ['100.00', 'JPY', true],
    ['9.999', 'EUR', false],
    ['0.5', 'JPY', false],
  ])('an amount of %s fits %s: %s', (amount, currency, fits) => expect(fitsCurrency(amount, currency)).toBe(fits));
});
