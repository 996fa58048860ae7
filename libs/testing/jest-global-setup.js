// jest loads this as it is, so it is no TypeScript.
import './run-from-source.js';

export default async function setUp() {
  await (await import('./src/global-setup.ts')).setUp();
}
