// In the same process as jest-global-setup.js.
import './run-from-source.js';

export default async function tearDown() {
  await (await import('./src/global-setup.ts')).tearDown();
}
