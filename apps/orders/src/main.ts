import { runService } from '#libs/service';
import { orders } from './index.js';

await runService(orders);
