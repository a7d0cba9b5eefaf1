using System.CommandLine;
using System.Diagnostics;
using System.Net.Sockets;
using Orleans.Runtime;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>drain.</summary>
internal static class DrainCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(0.25);

    internal static Command Create(SharedOptions shared)
    {
        var silo = new Argument<string>("SILO") { Description = "The silo as 'status' shows it, 'IP:PORT@START', or a part that no other has: 'IP:PORT', HOST/PROCESS, a host's name." };
        silo.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && string.IsNullOrWhiteSpace(token.Value))
            {
                result.AddError("SILO must not be empty. Use a silo as 'orleans-joblib status' shows it.");
            }
        });
        var timeout = SharedOptions.Seconds("--timeout", 60, 0, 86400, "How long to wait until it has ended what it has in hand and is gone; 0: only ask");
        var command = new Command(
            "drain",
            "Has a silo take no new batch, hand queued ones to others and end those in hand, as SIGTERM does. A joblib-silo stops then; a silo in another program's host only drains, until that host stops.") { silo, timeout };
        command.Do(shared, (invocation, cancellationToken) =>
            RunAsync(invocation, invocation.Parsed.GetRequiredValue(silo), TimeSpan.FromSeconds(invocation.Parsed.GetValue(timeout)), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Invocation invocation, string name, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var monitor = new ClusterMonitor(cluster.Client);
        var found = Find(await monitor.LookAsync(cancellationToken).ConfigureAwait(false), name, cluster.Address);
        var started = Stopwatch.GetTimestamp();
        var stops = await AskAsync(cluster, found, cancellationToken).ConfigureAwait(false);
        var drained = false;
        while (!drained && Stopwatch.GetElapsedTime(started) < timeout)
        {
            await Task.Delay(Again, cancellationToken).ConfigureAwait(false);
            drained = await IsDrainedAsync(monitor, found, stops, cancellationToken).ConfigureAwait(false);
        }

        var silo = SiloReportLine.Name(found);
        var seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3);
        if (!drained && timeout > TimeSpan.Zero)
        {
            throw new CommandException(ExitCode.Failed, $"The silo '{silo}' drains, but still has batches in hand after '{timeout}'. It goes on by itself; look with 'orleans-joblib status', or wait longer with --timeout.");
        }

        invocation.Answer(new { silo, asked = true, stops, drained, seconds }, console => console.WriteLine(
            !drained ? $"{silo} drains" : stops ? $"{silo} has drained and is gone ({ReportTables.Time(seconds)})" : $"{silo} has drained ({ReportTables.Time(seconds)}); its host goes on, without workers"));
        return ExitCode.Ok;
    }

    private static SiloReport Find(ClusterView view, string name, string cluster)
    {
        var found = view.Silos.Where(silo => Names(silo).Contains(name, StringComparer.OrdinalIgnoreCase)).ToArray();
        return found switch
        {
            [{ View: not null } silo] => silo,
            [var silent] => throw new CommandException(ExitCode.Failed, $"The silo '{SiloReportLine.Name(silent)}' does not answer, or has no workers: {silent.Fault} Stop its process instead."),
            [] => throw new CommandException(ExitCode.Failed, $"'{cluster}' has no silo '{name}'. Its silos: {string.Join(", ", view.Silos.Select(SiloReportLine.Name))}."),
            _ => throw new CommandException(ExitCode.BadUsage, $"'{name}' may be one of {found.Length} silos: {string.Join(", ", found.Select(SiloReportLine.Name))}. Give the one that is meant in full."),
        };
    }

    private static IEnumerable<string> Names(SiloReport silo) =>
    [
        SiloReportLine.Name(silo),
        silo.Address.Endpoint.ToString(),
        .. silo.View is { } view ? [view.Machine, $"{view.Machine}/{view.ProcessId}"] : Array.Empty<string>(),
    ];

    private static async Task<bool> AskAsync(JoblibCluster cluster, SiloReport silo, CancellationToken cancellationToken)
    {
        try
        {
            return await cluster.Client.GetGrain<IMonitorGrain>(SlotKey.ForMonitor(silo.Address)).DrainAsync().WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException)
        {
            throw new CommandException(ExitCode.Failed, $"The silo '{SiloReportLine.Name(silo)}' did not take the order: {exception.Message} Try again, or send SIGTERM to its process.");
        }
    }

    private static async Task<bool> IsDrainedAsync(ClusterMonitor monitor, SiloReport silo, bool stops, CancellationToken cancellationToken)
    {
        try
        {
            var now = await monitor.LookAsync(cancellationToken).ConfigureAwait(false);
            return now.Silos.FirstOrDefault(known => known.Address.Equals(silo.Address)) is not { } known
                || (!stops && known.View?.Slots is { Draining: true, Busy: 0, Queued: 0 });
        }
        catch (JoblibException)
        {
            // It was the only one, or the only gateway that this program knows.
            return stops && !await AnswersAsync(silo.Address, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<bool> AnswersAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(silo.Endpoint, cancellationToken).AsTask().WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode != SocketError.ConnectionRefused;
        }
        catch (TimeoutException)
        {
            return true;
        }
    }
}
