using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Orleans.Joblib.Gateway.Wire;
using Orleans.Runtime;

namespace Orleans.Joblib.Gateway;

/// <summary>What <c>gateway.proto</c> says, on a cluster. Runs of all clients of this gateway; thread-safe.</summary>
internal sealed class GatewayService(IClusterClient client, GatewayBlobs blobs) : Wire.Gateway.GatewayBase
{
    private const int Protocol = 1;
    private const int PartBytes = 1 << 20;
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(10);

    // All gateways of this process: gRPC makes a service for each call.
    private static readonly ConcurrentDictionary<Guid, GatewayRun> Runs = new();

    public override async Task<ClusterReply> GetCluster(ClusterRequest request, ServerCallContext context)
    {
        try
        {
            var runtime = RuntimeOf(request.Runtime, []);
            var hosts = await client.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true).WaitAsync(AskTimeout, context.CancellationToken).ConfigureAwait(false);
            var silos = await Task.WhenAll(hosts.Keys.Select(StatusAsync)).ConfigureAwait(false);
            return new ClusterReply
            {
                Protocol = Protocol,
                Slots = silos.Sum(silo => silo?.Has(runtime) == true ? silo.Size : 0),
                AllSlots = silos.Sum(silo => silo?.Size ?? 0),
                Version = typeof(GatewayService).Assembly.GetName().Version!.ToString(3),
            };
        }
        catch (Exception exception)
        {
            throw GatewayErrors.Of(exception);
        }
    }

    public override async Task Run(IAsyncStreamReader<ClientMessage> requestStream, IServerStreamWriter<GatewayMessage> responseStream, ServerCallContext context)
    {
        try
        {
            if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) || requestStream.Current.Open is not { } open)
            {
                throw GatewayErrors.Invalid("A run begins with Open.");
            }

            await RunAsync(open, requestStream, responseStream, context.CancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (context.CancellationToken.IsCancellationRequested && exception is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The client has gone, or has enough: the run has ended with it.
        }
        catch (Exception exception)
        {
            throw GatewayErrors.Of(exception);
        }
    }

    public override async Task<Wire.ArrayPlace> PutArray(IAsyncStreamReader<ArrayPart> requestStream, ServerCallContext context)
    {
        try
        {
            if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
            {
                throw GatewayErrors.Invalid("An array begins with its run and its length.");
            }

            var first = requestStream.Current;
            if (first.Length <= 0)
            {
                throw GatewayErrors.Invalid(string.Create(CultureInfo.InvariantCulture, $"An array must not have {first.Length} bytes."));
            }

            return new Wire.ArrayPlace { Path = await RunOf(first.Run).PutAsync(first.Length, PartsAsync(requestStream, context.CancellationToken)).ConfigureAwait(false) };
        }
        catch (Exception exception)
        {
            throw GatewayErrors.Of(exception);
        }
    }

    public override async Task GetArray(ArrayRequest request, IServerStreamWriter<ArrayPart> responseStream, ServerCallContext context)
    {
        try
        {
            var file = RunOf(request.Run).FileOf(request.Handle, request.Path) ?? throw GatewayErrors.NotFound($"The outcome {request.Handle} has no array '{request.Path}', or it has been taken.");
            for (long offset = 0; offset < file.Length;)
            {
                var part = new byte[Math.Min(PartBytes, file.Length - offset)];
                var count = await file.ReadAsync(part, offset, context.CancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    throw new IOException($"'{file.Path}' has become shorter.");
                }

                await responseStream.WriteAsync(
                    new ArrayPart { Run = offset == 0 ? request.Run : "", Length = offset == 0 ? file.Length : 0, Data = UnsafeByteOperations.UnsafeWrap(part.AsMemory(0, count)) },
                    context.CancellationToken).ConfigureAwait(false);
                offset += count;
            }
        }
        catch (Exception exception)
        {
            throw GatewayErrors.Of(exception);
        }
    }

    private async Task RunAsync(Open open, IAsyncStreamReader<ClientMessage> requests, IServerStreamWriter<GatewayMessage> responses, CancellationToken cancellationToken)
    {
        Check(open);
        var proofs = open.Tokens.Select(StoreToken.Prove).ToArray();
        string[] shared = [.. open.Tokens.Where((_, i) => proofs[i] is not null).Select(token => Path.GetDirectoryName(Path.GetDirectoryName(token))!)];

        // Not none: payloads that are too long for a message go by files, too, whatever the client says of arrays.
        var settings = ArraySettings.Of(open.MaxBytes < 0 ? long.MaxValue : open.MaxBytes, ModeOf(open.MmapMode), null);
        if (shared.Length > 0 && settings.MaxBytes is not null)
        {
            // The client's own folders: what it has put there needs no copy.
            settings = settings with { Parents = shared };
        }

        var request = new RunRequest(
            open.Slots,
            OrleansBackendOptions.DefaultLease,
            open.Client,
            InnerMaxNumThreads: open.InnerMaxNumThreads == 0 ? null : open.InnerMaxNumThreads,
            InProcesses: true,
            Name: open.Name,
            TraceParent: open.TraceParent.Length == 0 ? null : open.TraceParent,
            Runtime: RuntimeOf(open.Runtime, open.Prepare.ToByteArray()));
        var run = await GatewayRun.OpenAsync(client, request, settings, blobs.Shared, cancellationToken).ConfigureAwait(false);
        await using (run.ConfigureAwait(false))
        {
            Runs[run.Id] = run;
            try
            {
                var opened = new Opened
                {
                    Run = run.Id.ToString(),
                    Slots = run.SlotCount,
                    Gateway = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}"),
                    MostPayloadBytes = JoblibProtocol.MostPayloadBytes,
                };
                opened.Proofs.AddRange(proofs.Select(proof => ByteString.CopyFrom(proof ?? [])));
                await responses.WriteAsync(new GatewayMessage { Opened = opened }, cancellationToken).ConfigureAwait(false);

                using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var writing = WriteAsync(run, responses, ending.Token);
                try
                {
                    await ReadAsync(run, requests, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    await ending.CancelAsync().ConfigureAwait(false);
                    await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
            finally
            {
                Runs.TryRemove(run.Id, out _);
            }
        }
    }

    private static async Task ReadAsync(GatewayRun run, IAsyncStreamReader<ClientMessage> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var message = requests.Current;
            switch (message.WhatCase)
            {
                case ClientMessage.WhatOneofCase.Batch when message.Batch is { Calls: > 0, Handle: > 0 }:
                    run.Send(message.Batch);
                    break;
                case ClientMessage.WhatOneofCase.Progress:
                    run.Take(message.Progress);
                    break;
                case ClientMessage.WhatOneofCase.Taken:
                    foreach (var handle in message.Taken.Handles)
                    {
                        run.Taken(handle);
                    }

                    foreach (var path in message.Taken.Paths)
                    {
                        run.Release(path);
                    }

                    break;
                default:
                    throw GatewayErrors.Invalid($"'{message.WhatCase}' cannot come here, or says nothing: a batch has a handle and calls, both from 1.");
            }
        }
    }

    private static async Task WriteAsync(GatewayRun run, IServerStreamWriter<GatewayMessage> responses, CancellationToken cancellationToken)
    {
        await foreach (var message in run.Messages.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await responses.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> PartsAsync(
        IAsyncStreamReader<ArrayPart> requests, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        do
        {
            yield return requests.Current.Data.Memory;
        }
        while (await requests.MoveNext(cancellationToken).ConfigureAwait(false));
    }

    private static void Check(Open open)
    {
        if (open.Protocol != Protocol)
        {
            throw new JoblibException("protocol-version", $"This gateway speaks version {Protocol} of the gateway's protocol, and the client {open.Protocol}. Use the same release on client and silos.");
        }

        if (open.Slots is 0 or < RunRequest.AllSlots)
        {
            throw GatewayErrors.Invalid($"slots must not be '{open.Slots}'. Use 1 or more, or -1 for all.");
        }

        if (open.InnerMaxNumThreads < 0)
        {
            throw GatewayErrors.Invalid($"inner_max_num_threads must not be '{open.InnerMaxNumThreads}'. Use 1 or more, or 0 for the silo's rule.");
        }
    }

    private static RunRuntime RuntimeOf(string name, byte[] prepare) =>
        name == RunRuntime.Python ? new RunRuntime(name, prepare) : throw GatewayErrors.Invalid($"The runtime '{name}' is not known. Use '{RunRuntime.Python}'.");

    private static MmapMode ModeOf(string mode) => mode switch
    {
        "" or "r" => MmapMode.ReadOnly,
        "r+" or "w+" => MmapMode.ReadWrite,
        "c" => MmapMode.CopyOnWrite,
        _ => throw GatewayErrors.Invalid($"mmap_mode must not be '{mode}'. Use 'r', 'r+', 'w+' or 'c'."),
    };

    private static GatewayRun RunOf(string id) =>
        Guid.TryParse(id, out var run) && Runs.TryGetValue(run, out var known) ? known : throw GatewayErrors.NotFound($"The run '{id}' is not open at this gateway.");

    private async Task<SiloSlots?> StatusAsync(SiloAddress silo)
    {
        try
        {
            return await client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo)).GetStatusAsync().WaitAsync(AskTimeout).ConfigureAwait(false);
        }
        catch (Exception exception) when (ClusterRun.MayPass(exception))
        {
            // A silo that is going: it has no slots.
            return null;
        }
    }
}
