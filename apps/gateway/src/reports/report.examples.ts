import type {
  ApprovedInDoubtRow,
  DiscrepanciesReport,
  InventoryValueReport,
  OverridesReport,
  OversellReport,
  Report,
  ResponseOf,
  WouldBlockReport,
} from '#libs/contracts';
import type { ApprovedInDoubtSummary } from './approved-in-doubt.js';
import type { AnsweredReport } from './report.dto.js';

const period = { from: '2026-02-01T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z' };
const lastAt = '2026-02-27T16:20:00.000Z';

const attempts = { attempts: 12, quantityShort: '31.5', refused: 9, pendingApproval: 3, wouldBlock: 0, lastAt };
export const anOversellReport: AnsweredReport<ResponseOf<typeof OversellReport>> = {
  ...{ ...period, groupBy: 'item', truncated: false },
  rows: [{ itemId: 'coffee-1kg', ...attempts }],
  summary: attempts,
};

const overrides = { overrides: 4, value: '1210.5', valueUnknown: 1, lastAt };
export const anOverridesReport: AnsweredReport<ResponseOf<typeof OverridesReport>> = {
  ...{ ...period, groupBy: 'user', truncated: false },
  rows: [{ userId: 'bob', role: 'inventory_manager', ...overrides }],
  summary: overrides,
};

const passed = { attempts: 7, quantityShort: '18', movements: 2, quantityMoved: '5', lastAt };
export const aWouldBlockReport: AnsweredReport<ResponseOf<typeof WouldBlockReport>> = {
  ...{ ...period, groupBy: 'item_warehouse', truncated: false },
  rows: [{ itemId: 'coffee-1kg', warehouseId: 'berlin', ...passed }],
  summary: passed,
};

const found = { discrepancies: 3, open: 3, difference: '14', oldestOpenAt: '2026-01-20T08:00:00.000Z', lastDetectedAt: lastAt };
export const aDiscrepancyReport: AnsweredReport<ResponseOf<typeof DiscrepanciesReport>> = {
  ...{ ...period, groupBy: 'status', truncated: false },
  rows: [{ status: 'new', ...found }],
  summary: found,
};

const worth = { quantity: '107', value: '455.4', quantityChange: '-13', valueChange: '-54.6' };
export const anInventoryValueReport: AnsweredReport<ResponseOf<typeof InventoryValueReport>> = {
  ...{ ...period, groupBy: 'item', truncated: false },
  rows: [{ itemId: 'coffee-1kg', ...worth }],
  summary: { ...worth, currency: 'EUR' },
};

const discrepancyId = '019cb5b1-0000-7000-8000-000000000008';
export const anApprovedInDoubtReport: AnsweredReport<Report<ApprovedInDoubtRow, ApprovedInDoubtSummary>> = {
  ...{ ...period, groupBy: 'order', truncated: false },
  rows: [
    {
      orderId: 'order-1',
      approvedBy: 'bob',
      role: 'inventory_manager',
      approvedAt: lastAt,
      reason: 'The truck comes tomorrow',
      approvalRequestId: '019cb5b1-0000-7000-8000-000000000003',
      discrepancyIds: [discrepancyId],
      snapshot: {
        availability: [{ itemId: 'coffee-1kg', warehouseId: 'berlin', onHand: '9', reserved: '2', discrepancyHold: '3', available: '4' }],
        discrepancies: [
          {
            discrepancyId,
            itemId: 'coffee-1kg',
            warehouseId: 'berlin',
            severity: 'high',
            source: 'count',
            difference: '-3',
            detectedAt: '2026-02-26T07:00:00.000Z',
          },
        ],
      },
    },
  ],
  summary: { approvals: 5, inDoubt: 1 },
};
