-- DropIndex
DROP INDEX "communication_organization_id_idempotency_key_key";

-- DropIndex
DROP INDEX "received_message_received_at_idx";

-- DropIndex
DROP INDEX "webhook_receipt_received_at_idx";

-- CreateIndex
CREATE INDEX "automation_run_organization_id_channel_due_at_id_idx" ON "automation_run"("organization_id", "channel", "due_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_organization_id_channel_last_activity_at_id_idx" ON "conversation"("organization_id", "channel", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "received_message_received_at_idx" ON "received_message" USING BRIN ("received_at");

-- CreateIndex
CREATE INDEX "webhook_receipt_received_at_idx" ON "webhook_receipt" USING BRIN ("received_at");
