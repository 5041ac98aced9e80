import { Module } from '@nestjs/common';
import { BindDevice } from './bind-device/bind-device.js';
import { BindDeviceController } from './bind-device/bind-device.controller.js';
import { BindingStore } from './binding-store.js';
import { DeviceStore } from './device-store.js';
import { GetDeviceRecord } from './get-device-record/get-device-record.js';
import { GetDeviceRecordController } from './get-device-record/get-device-record.controller.js';
import { KnownCookieStore } from './known-cookies/known-cookie-store.js';
import { KnownCookiesController } from './known-cookies/known-cookies.controller.js';
import { PruneKnownCookies } from './known-cookies/prune-known-cookies.js';
import { LookUpController } from './look-up.controller.js';
import { RevokeDevice } from './revoke-device/revoke-device.js';
import { RevokeDeviceController } from './revoke-device/revoke-device.controller.js';

@Module({
  controllers: [BindDeviceController, GetDeviceRecordController, LookUpController, RevokeDeviceController, KnownCookiesController],
  providers: [BindDevice, GetDeviceRecord, RevokeDevice, DeviceStore, BindingStore, KnownCookieStore, PruneKnownCookies],
})
export class AppModule {}
