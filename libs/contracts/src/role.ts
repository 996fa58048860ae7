/**
 * What a person or a system may be. Who may make a call is said by the call itself (`allow` of its definition), and denied to
 * everybody who is not named there.
 */
export const ROLES = ['sales', 'warehouse', 'cashier', 'inventory_manager', 'finance_manager', 'auditor', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

// Groups of roles, named by what they do. `inventory_manager` may do what sales, warehouse and cashier may; `admin` everything.

/** Reads of items, stock, availability and orders. */
export const EVERY_ROLE: readonly Role[] = ROLES;
/** Creates, changes, confirms and cancels orders, and authorises returns. */
export const ORDER_TAKERS: readonly Role[] = ['sales', 'inventory_manager', 'finance_manager', 'service', 'admin'];
/** Receives goods, picks, packs, ships, receives and inspects returns. */
export const GOODS_HANDLERS: readonly Role[] = ['warehouse', 'inventory_manager', 'service', 'admin'];
/** Moves, counts and changes the quality of what is in a warehouse. */
export const WAREHOUSE_WORKERS: readonly Role[] = ['warehouse', 'inventory_manager', 'admin'];
/** Adjustments, catalogue, safety stock. */
export const STOCK_KEEPERS: readonly Role[] = ['inventory_manager', 'admin'];
/** Decide about exceptions, each what the organisation's policies give to the role. */
export const APPROVER_ROLES = ['inventory_manager', 'finance_manager', 'admin'] as const satisfies readonly Role[];
export type ApproverRole = (typeof APPROVER_ROLES)[number];
/** Decide about discrepancies; `finance_manager` about the severe ones that nobody has decided about for a day. */
export const DISCREPANCY_KEEPERS: readonly Role[] = ['inventory_manager', 'finance_manager', 'admin'];
/** Ask that a movement which was refused is let through: who moves goods, and who decides about discrepancies. */
export const OVERRIDE_REQUESTERS: readonly Role[] = ['warehouse', 'inventory_manager', 'finance_manager', 'admin'];
/** Read requests for approval and the policies; other services do so on their own behalf, as `service`. */
export const APPROVAL_READERS: readonly Role[] = ['inventory_manager', 'finance_manager', 'auditor', 'service', 'admin'];
/** What only our own services do, on their own behalf: ask for an approval and take that back. */
export const OWN_SERVICES: readonly Role[] = ['service', 'admin'];
/** Sees what was imported. */
export const IMPORT_READERS: readonly Role[] = ['inventory_manager', 'auditor', 'admin'];
/** Says what receipts really cost. */
export const COST_CORRECTORS: readonly Role[] = ['finance_manager', 'admin'];
/** Reads what the stock is worth. */
export const VALUATION_READERS: readonly Role[] = ['inventory_manager', 'finance_manager', 'auditor', 'admin'];
/** Reads reports. */
export const REPORT_READERS: readonly Role[] = ['finance_manager', 'auditor', 'admin'];
/** Sees what reconciliation found. */
export const RECONCILIATION_READERS: readonly Role[] = ['inventory_manager', 'finance_manager', 'auditor', 'admin'];
/** Reads what concerns the whole organisation: the audit trail. */
export const AUDITORS: readonly Role[] = ['auditor', 'admin'];
/** Reads settings. Other services read them on their own behalf, without a person's token, and so as `service`. */
export const SETTINGS_READERS: readonly Role[] = ['inventory_manager', 'finance_manager', 'auditor', 'service', 'admin'];
/** Changes settings; members, keys, parked messages. */
export const ADMINISTRATORS: readonly Role[] = ['admin'];
