using System.Text;

namespace Orleans.Joblib.Tests.Telemetry;

/// <summary>A protobuf message, read field by field without its schema.</summary>
internal sealed class Proto
{
    private readonly List<(int Field, ulong Number, byte[]? Bytes)> _fields = [];

    internal Proto(byte[] message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint();
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    _fields.Add((field, Varint(), null));
                    break;
                case 1:
                    _fields.Add((field, BitConverter.ToUInt64(message, at), null));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint();
                    _fields.Add((field, 0, message.AsSpan(at, length).ToArray()));
                    at += length;
                    break;
                case 5:
                    _fields.Add((field, BitConverter.ToUInt32(message, at), null));
                    at += 4;
                    break;
                default:
                    throw new FormatException($"Wire type {tag & 7} at byte {at}.");
            }
        }

        ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = message[at++];
                value |= (ulong)(next & 127) << shift;
                if (next < 128)
                {
                    return value;
                }
            }
        }
    }

    internal IEnumerable<Proto> Messages(int field) => Bytes(field).Select(bytes => new Proto(bytes));

    internal string Text(int field) => Encoding.UTF8.GetString(Bytes(field).FirstOrDefault() ?? []);

    internal string Hex(int field) => Convert.ToHexStringLower(Bytes(field).FirstOrDefault() ?? []);

    /// <summary>An attribute's value: text, or a number as text.</summary>
    internal string Value() => _fields.Count == 0 ? "" : _fields[0].Bytes is { } bytes ? Encoding.UTF8.GetString(bytes) : _fields[0].Number.ToString();

    private IEnumerable<byte[]> Bytes(int field) => _fields.Where(f => f.Field == field && f.Bytes is not null).Select(f => f.Bytes!);
}
