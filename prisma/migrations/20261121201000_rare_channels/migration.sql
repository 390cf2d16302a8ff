-- CreateIndex
CREATE INDEX "automation_run_organization_id_channel_due_at_id_idx" ON "automation_run"("organization_id", "channel", "due_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_organization_id_channel_last_activity_at_id_idx" ON "conversation"("organization_id", "channel", "last_activity_at" DESC, "id" DESC);
