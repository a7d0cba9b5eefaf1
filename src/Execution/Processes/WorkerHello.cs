using System.Text;

namespace Orleans.Joblib;

/// <summary>A worker's first frame.</summary>
/// <param name="LeadsGroup">Whether it leads a process group of its own.</param>
/// <param name="Fault">Why it is of no use; null when it is.</param>
internal sealed record WorkerHello(bool LeadsGroup, JoblibException? Fault)
{
    private const int PythonProtocol = 1;

    private static readonly byte[] Mark = Encoding.ASCII.GetBytes("joblib-worker");
    private static readonly byte[] PythonMark = Encoding.ASCII.GetBytes("joblib-python");

    /// <summary>The library in the worker must be the program's own, to the build.</summary>
    private static Guid Library => typeof(WorkerHello).Module.ModuleVersionId;

    internal static Frame Of(bool leadsGroup, string version) => Frame.Of(FrameKind.Hello, writer =>
    {
        writer.WriteBlob(Mark);
        writer.WriteByte(leadsGroup ? (byte)1 : (byte)0);
        writer.WriteRaw(Library);
        writer.WriteString(version);
    });

    internal static WorkerHello Read(byte[] body)
    {
        try
        {
            var reader = new PayloadReader(body, long.MaxValue);
            var mark = reader.ReadBlob();
            if (mark.SequenceEqual(PythonMark))
            {
                return ReadPython(reader);
            }

            if (mark.SequenceEqual(Mark))
            {
                var leadsGroup = reader.ReadByte() != 0;
                var library = reader.ReadRaw<Guid>();
                var version = reader.ReadString();
                return new WorkerHello(leadsGroup, library == Library ? null : Other($"the worker is of version '{version}'"));
            }
        }
        catch (JoblibException)
        {
            // An older or a newer one may say hello in another way.
        }

        return new WorkerHello(false, Other("the worker does not say its version"));
    }

    private static WorkerHello ReadPython(PayloadReader reader)
    {
        var leadsGroup = reader.ReadByte() != 0;
        var protocol = reader.ReadRaw<int>();
        var versions = reader.ReadString();
        return new WorkerHello(leadsGroup, protocol == PythonProtocol ? null : new JoblibException(
            "worker-version",
            $"The Python worker process speaks version {protocol} of the workers' protocol and this silo {PythonProtocol}: it is {versions}. Install the joblib-orleans of this silo's version in the Python environment that --python names."));
    }

    private static JoblibException Other(string what) => new(
        "worker-version",
        $"The worker process is of another build of Orleans.Joblib than this program (version '{typeof(WorkerHello).Assembly.GetName().Version}'): {what}. Put '{WorkerCommand.AssemblyName}.dll' and 'Orleans.Joblib.Execution.dll' of one package beside the program: build it again, and copy all of its output.");
}
