import { runService } from '#libs/service';
import { notifications } from './index.js';

await runService(notifications);
