namespace Orleans.Joblib;

/// <summary>The frames that bring batches to a worker process, and their outcomes back.</summary>
internal static class BatchFrames
{
    internal const long InitializerHandle = 0;

    /// <summary>The handle in an outcome that says something of the worker alone.</summary>
    internal const long NoBatch = -1;

    private static readonly Dictionary<string, string> NoPaths = [];

    internal static Frame Setup(PoolSettings settings) => Frame.Of(FrameKind.Setup, writer =>
    {
        writer.WriteRaw(settings.MaxMemoryGrowth);
        var shared = SharedCode.ReferencedNames;
        writer.WriteVarUInt((ulong)shared.Count);
        foreach (var name in shared)
        {
            writer.WriteString(name);
        }
    });

    internal static WorkerSetup ReadSetup(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var growth = reader.ReadRaw<long>();
        var shared = new string[reader.ReadCount()];
        for (var i = 0; i < shared.Length; i++)
        {
            shared[i] = reader.ReadString();
        }

        return new WorkerSetup(growth, shared);
    }

    internal static Frame Run(long run, ArraySettings arrays) => Frame.Of(FrameKind.Run, writer =>
    {
        writer.WriteRaw(run);
        arrays.Write(writer);
    });

    internal static (long Run, ArraySettings Arrays) ReadRun(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        return (reader.ReadRaw<long>(), ArraySettings.Read(reader));
    }

    /// <param name="run">The run.</param>
    /// <param name="answers">Whether the worker is to say when its calls have been told.</param>
    internal static Frame EndRun(long run, bool answers) => Frame.Of(FrameKind.EndRun, writer =>
    {
        writer.WriteRaw(run);
        writer.WriteByte(answers ? (byte)1 : (byte)0);
    });

    internal static (long Run, bool Answers) ReadEndRun(byte[] body) => (BitConverter.ToInt64(body), body[sizeof(long)] != 0);

    internal static Frame Taken(long handle) => Frame.Of(FrameKind.Taken, writer => writer.WriteRaw(handle));

    internal static Frame Of(PoolWork work) => Frame.Of(
        FrameKind.Batch,
        writer =>
        {
            var request = work.Request;
            writer.WriteRaw(work.Lease.Id);
            writer.WriteRaw(request.Handle);
            writer.WriteRaw(request.Number);
            writer.WriteRaw(request.FirstCallIndex);
            writer.WriteRaw(request.Calls);
            writer.WriteRaw(request.Timeout?.Ticks ?? 0);
            writer.WriteRaw(request.NestingLevel);
            writer.WriteByte((byte)work.Lease.LogLevel);
            writer.WriteOptionalString(request.TraceParent);
            writer.WriteVarUInt((ulong)(work.MovedArrays?.Count ?? 0));
            foreach (var (there, here) in work.MovedArrays ?? NoPaths)
            {
                writer.WriteString(there);
                writer.WriteString(here);
            }
        },
        work.Request.Payload);

    internal static WorkerBatch ReadBatch(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var run = reader.ReadRaw<long>();
        var handle = reader.ReadRaw<long>();
        var number = reader.ReadRaw<long>();
        var first = reader.ReadRaw<long>();
        var calls = reader.ReadRaw<int>();
        var timeout = reader.ReadRaw<long>();
        var nesting = reader.ReadRaw<int>();
        var level = reader.ReadByte();
        var trace = reader.ReadOptionalString();
        Dictionary<string, string>? moved = null;
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            (moved ??= new(StringComparer.Ordinal)).Add(reader.ReadString(), reader.ReadString());
        }

        var payload = body.AsMemory(body.Length - reader.Left);
        return new WorkerBatch(
            run, new RemoteBatch(handle, number, first, calls, [], timeout == 0 ? null : TimeSpan.FromTicks(timeout), nesting, trace), payload, (Microsoft.Extensions.Logging.LogLevel)level, moved);
    }

    internal static Frame Of(WorkerOutcome outcome) => Frame.Of(
        FrameKind.Outcome,
        writer =>
        {
            writer.WriteRaw(outcome.Handle);
            writer.WriteByte((byte)outcome.Status);
            writer.WriteByte((byte)outcome.Leaving);
            writer.WriteVarUInt((ulong)(outcome.Arrays?.Length ?? 0));
            foreach (var path in outcome.Arrays ?? [])
            {
                writer.WriteString(path);
            }

            writer.WriteRaw(outcome.Executed.Ticks);
            writer.WriteRaw(outcome.ResidentBytes);
            writer.WriteRaw(outcome.FirstResidentBytes);
        },
        outcome.Payload);

    internal static WorkerOutcome ReadOutcome(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var handle = reader.ReadRaw<long>();
        var status = (OutcomeStatus)reader.ReadByte();
        var leaving = (LeaveReason)reader.ReadByte();
        var arrays = new string[reader.ReadCount()];
        for (var i = 0; i < arrays.Length; i++)
        {
            arrays[i] = reader.ReadString();
        }

        var executed = TimeSpan.FromTicks(reader.ReadRaw<long>());
        var resident = reader.ReadRaw<long>();
        var firstResident = reader.ReadRaw<long>();
        return new WorkerOutcome(handle, status, body.AsMemory(body.Length - reader.Left), executed, leaving, resident, firstResident, arrays.Length == 0 ? null : arrays);
    }
}
