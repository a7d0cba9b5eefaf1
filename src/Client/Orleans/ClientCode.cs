using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>What this process's calls need to travel by one client: the codec, the code set that payloads name, and its way to the silos. Thread-safe.</summary>
internal sealed class ClientCode
{
    // Code and shapes are the process's: a second client must not compile or hash them again.
    private static readonly CodeSet Set = new();
    private static readonly Lock Gate = new();
    private static readonly ConditionalWeakTable<IClusterClient, CodeShipper> Shippers = [];
    private static readonly ConditionalWeakTable<IClusterClient, ArrayHosts> Hosts = [];
    private static PayloadCodec? _codec;
    private static int _codecVersion;

    private ClientCode(CodeShipper shipper, ArrayHosts arrayHosts, PayloadCodec codec)
    {
        Shipper = shipper;
        ArrayHosts = arrayHosts;
        Encoder = codec.Encoder;
        Decoder = codec.Decoder;
    }

    internal PayloadEncoder Encoder { get; }

    internal PayloadDecoder Decoder { get; }

    internal CodeShipper Shipper { get; }

    internal ArrayHosts ArrayHosts { get; }

    internal static ClientCode Of(IClusterClient client) => new(
        Shippers.GetValue(client, static client => new CodeShipper(client)), Hosts.GetValue(client, static client => new ArrayHosts(client)), CurrentCodec());

    /// <summary>The code set with all that payloads have named so far.</summary>
    internal static CodeSnapshot Snapshot() => Set.Snapshot();

    // A codec keeps to the serializers that were registered when it was made: a later one is for later runs.
    private static PayloadCodec CurrentCodec()
    {
        lock (Gate)
        {
            var version = SerializerTable.OfProcess.Version;
            if (_codec is null || version != _codecVersion)
            {
                var encoder = new PayloadEncoder(Set);
                _codec = new PayloadCodec(encoder, new PayloadDecoder(new OwnCode(), encoder.Serializers));
                _codecVersion = version;
            }

            return _codec;
        }
    }
}
