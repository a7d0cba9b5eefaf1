using System.ComponentModel;
using System.Reflection;
using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>What means nothing in another process. The same types are refused when they are read: a payload cannot make one either.</summary>
internal static class Refusals
{
    private const string OwnsResource = "holds a resource of this process";

    private static readonly (Type Type, string Reason, string? Remedy)[] Classes =
    [
        (typeof(Stream), "is a stream of this process", "Pass a path, or the bytes"),
        (typeof(TextReader), "reads from something of this process", "Pass a path, or the text"),
        (typeof(TextWriter), "writes to something of this process", "Return the text instead"),
        (typeof(FileSystemInfo), "caches the state of a file system", "Pass its FullName"),
        (typeof(Thread), "is a thread of this process", null),
        (typeof(System.Threading.Timer), "is a timer of this process", null),
        (typeof(PeriodicTimer), "is a timer of this process", null),
        (typeof(CancellationTokenSource), "belongs to this process", "Let the call take the run's token instead: Delayed(token => …)"),
        (typeof(SafeHandle), "holds an operating system handle", null),
        (typeof(CriticalHandle), "holds an operating system handle", null),
        (typeof(CriticalFinalizerObject), OwnsResource, null),
        (typeof(WaitHandle), "synchronizes threads of this process", null),
        (typeof(Lock), "synchronizes threads of this process", "Make it inside the call"),
        (typeof(SemaphoreSlim), "synchronizes threads of this process", null),
        (typeof(ManualResetEventSlim), "synchronizes threads of this process", null),
        (typeof(CountdownEvent), "synchronizes threads of this process", null),
        (typeof(Barrier), "synchronizes threads of this process", null),
        (typeof(ReaderWriterLockSlim), "synchronizes threads of this process", null),
        (typeof(SynchronizationContext), "belongs to a thread of this process", null),
        (typeof(ExecutionContext), "belongs to this process", null),
        (typeof(TaskScheduler), "runs tasks of this process", null),
        (typeof(System.Net.Sockets.Socket), "is a connection of this process", "Connect inside the call"),
        (typeof(System.Net.Sockets.TcpClient), "is a connection of this process", "Connect inside the call"),
        (typeof(System.Net.Sockets.UdpClient), "is a connection of this process", "Connect inside the call"),
        (typeof(System.Net.Http.HttpMessageInvoker), "holds connections of this process", "Make it inside the call"),
        (typeof(System.Net.Http.HttpMessageHandler), "holds connections of this process", "Make it inside the call"),
        (typeof(System.Data.Common.DbConnection), "is a connection of this process", "Connect inside the call"),
        (typeof(Component), OwnsResource, null),
        (typeof(MarshalByRefObject), OwnsResource, null),
        (typeof(Assembly), "is code that is loaded in this process", "Pass a type of it"),
        (typeof(Module), "is code that is loaded in this process", "Pass a type of it"),
        (typeof(System.Runtime.Loader.AssemblyLoadContext), "is code that is loaded in this process", null),
        (typeof(WeakReference), "refers to an object of this process only as long as that lives", null),
        (typeof(AppDomain), "is this process", null),
        (typeof(System.Diagnostics.Activity), "is a span of this process", null),
        (typeof(System.Diagnostics.ActivitySource), "is a part of this process's telemetry", null),
        (typeof(System.Diagnostics.Metrics.Meter), "is a part of this process's telemetry", null),
    ];

    private static readonly HashSet<string> OpenClasses =
    [
        "System.Threading.ThreadLocal`1", "System.Threading.AsyncLocal`1", "System.WeakReference`1", "System.Threading.Channels.ChannelReader`1",
        "System.Threading.Channels.ChannelWriter`1", "System.Threading.Channels.Channel`2", "System.Collections.Concurrent.BlockingCollection`1",
        "System.Runtime.CompilerServices.ConditionalWeakTable`2", "System.Threading.Tasks.TaskCompletionSource`1", "System.Buffers.ArrayPool`1", "System.Buffers.MemoryPool`1",
    ];

    private static readonly HashSet<string> HashBuilders = ["System.Collections.Immutable.ImmutableDictionary`2+Builder", "System.Collections.Immutable.ImmutableHashSet`1+Builder"];

    // By name: the packages that they come in are not ours.
    private static readonly Dictionary<string, string> Interfaces = new(StringComparer.Ordinal)
    {
        ["Microsoft.Extensions.Logging.ILogger"] = "writes to the log of this process",
        ["Microsoft.Extensions.Logging.ILoggerFactory"] = "writes to the log of this process",
        ["Microsoft.Extensions.Logging.ILoggerProvider"] = "writes to the log of this process",
        ["System.IServiceProvider"] = "holds the services of this process",
        ["System.Data.IDbConnection"] = "is a connection of this process",
        ["Orleans.Runtime.IAddressable"] = "is a grain reference, which needs this process's Orleans client",
        ["Orleans.IGrainFactory"] = "belongs to this process's Orleans client",
    };

    /// <exception cref="RefusedException">The class is one of them.</exception>
    internal static void CheckClass(Type type)
    {
        if (type.IsCOMObject)
        {
            throw new RefusedException(type, "is an object of COM", null);
        }

        for (var part = type; part is not null; part = part.BaseType)
        {
            foreach (var (refused, reason, remedy) in Classes)
            {
                if (part == refused)
                {
                    throw new RefusedException(type, reason, null) { Remedy = remedy };
                }
            }

            if (!SharedCode.IsShared(part.Assembly))
            {
                continue;
            }

            var name = part.IsGenericType ? part.GetGenericTypeDefinition().FullName! : part.FullName ?? part.Name;
            if (OpenClasses.Contains(name))
            {
                throw new RefusedException(type, "belongs to threads of this process", null);
            }

            if (HashBuilders.Contains(name))
            {
                throw new RefusedException(type, "is a table under construction", null) { Remedy = "Call ToImmutable first" };
            }

            if (HasFinalizer(part))
            {
                throw new RefusedException(type, OwnsResource, null);
            }
        }

        foreach (var contract in type.GetInterfaces())
        {
            if (contract.FullName is { } name && Interfaces.TryGetValue(name, out var reason))
            {
                throw new RefusedException(type, reason, null) { Remedy = name.Contains("Logging", StringComparison.Ordinal) ? "Log inside the call, or return what is to be logged" : null };
            }
        }
    }

    /// <exception cref="RefusedException">The struct is one of them.</exception>
    internal static void CheckStruct(Type type)
    {
        if (type.FullName is "System.Threading.CancellationTokenRegistration" or "System.ArgIterator" or "System.RuntimeArgumentHandle" or "System.TypedReference")
        {
            throw new RefusedException(type, "belongs to this process", null);
        }
    }

    private static bool HasFinalizer(Type type) =>
        type != typeof(object) && type.GetMethod("Finalize", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly, Type.EmptyTypes) is not null;
}
