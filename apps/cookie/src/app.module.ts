import { Module } from '@nestjs/common';
import { AdoptCookie } from './adopt-cookie.js';
import { CookieController } from './cookie.controller.js';
import { CookieStore } from './cookie-store.js';
import { GetCookie } from './get-cookie.js';
import { IssueCookie } from './issue-cookie.js';
import { PruneCookies } from './prune-cookies.js';

@Module({
  controllers: [CookieController],
  providers: [CookieStore, IssueCookie, GetCookie, AdoptCookie, PruneCookies],
})
export class AppModule {}
