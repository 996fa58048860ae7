import { inventoryCheck } from './inventory-check.js';

process.exitCode = await inventoryCheck(process.argv.slice(2), process.env);
