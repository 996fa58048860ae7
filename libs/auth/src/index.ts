export * from './actor.js';
export * from './actor-token.js';
export * from './authorise.js';
export { ROLES, type Role } from '#libs/contracts';
