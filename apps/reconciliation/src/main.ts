import { runService } from '#libs/service';
import { reconciliation } from './index.js';

await runService(reconciliation);
