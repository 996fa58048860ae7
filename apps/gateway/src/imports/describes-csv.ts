import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiResponse } from '@nestjs/swagger';
import type { ImportKind } from '#libs/contracts';

const DESCRIPTIONS: Readonly<Record<ImportKind, { readonly columns: string; readonly example: string }>> = {
  items: {
    columns:
      'Columns: itemId, name; and, as far as they are wanted, unit, tracking, costing, unitPrice, currency, reorderPoint, safetyStock, ' +
      'minRemainingShelfLifeDays, substitutes (ids separated by semicolons). An item that exists exactly so is skipped.',
    example: 'itemId,name,unitPrice,substitutes\ncoffee-1kg,"Coffee, 1 kg",9.99,coffee-500g;coffee-250g\n',
  },
  lots: {
    columns: 'Columns: itemId, lot; and, as far as they are wanted, producedAt, expiresAt.',
    example: 'itemId,lot,expiresAt\ncoffee-1kg,L-2026-03,2027-03-01\n',
  },
  stock: {
    columns:
      'Opening stock. Columns: warehouseId, itemId, quantity, unitCost; and, as far as they are wanted, lot, producedAt, expiresAt, ' +
      'location, quality. An item that has been stocked in the warehouse before is refused.',
    example: 'warehouseId,itemId,quantity,unitCost\nberlin,coffee-1kg,120,4.20\n',
  },
};

const problem = (status: number, description: string) =>
  ApiResponse({ status, description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } });

/** How the API description shows the body of an import. */
export function DescribesCsv(kind: ImportKind): MethodDecorator {
  const { columns, example } = DESCRIPTIONS[kind];
  const description = `CSV in UTF-8 with a header, of at most 64 MiB. ${columns}`;
  return applyDecorators(
    ApiConsumes('text/csv'),
    ApiBody({ description, schema: { type: 'string' }, examples: { [kind]: { value: example } } }),
    problem(413, 'The file is larger than 64 MiB.'),
    problem(415, 'The body is not CSV in UTF-8.'),
  );
}
