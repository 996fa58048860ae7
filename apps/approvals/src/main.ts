import { runService } from '#libs/service';
import { approvals } from './index.js';

await runService(approvals);
