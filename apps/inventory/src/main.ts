import { runService } from '#libs/service';
import { inventory } from './index.js';

await runService(inventory);
