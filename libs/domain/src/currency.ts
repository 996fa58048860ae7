const known = new Map<string, number>();

/** How many decimals an amount in a currency has (ISO 4217): 2 for EUR, 0 for JPY; 2 for a code that nobody knows. */
export function currencyDecimals(currency: string): number {
  let decimals = known.get(currency);
  if (decimals === undefined) {
    decimals = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    known.set(currency, decimals);
  }
  return decimals;
}

/** Whether an amount (a decimal string) has no more decimals than its currency; zeros at the end do not count. */
export function fitsCurrency(amount: string, currency: string): boolean {
  const significant = amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
  return (significant.split('.')[1]?.length ?? 0) <= currencyDecimals(currency);
}
