export { createDemoShop, type DemoShop, type DemoShopParts } from './demo-shop.js';
