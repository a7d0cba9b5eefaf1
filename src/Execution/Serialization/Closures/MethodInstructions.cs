using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace Orleans.Joblib;

/// <summary>Reads the instructions of a method.</summary>
internal static class MethodInstructions
{
    private const byte TwoByteMark = 0xFE;
    private static readonly OpCode[] OneByte = new OpCode[256];
    private static readonly OpCode[] TwoBytes = new OpCode[256];

    static MethodInstructions()
    {
        foreach (var field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            if (field.GetValue(null) is OpCode code)
            {
                (code.Size == 1 ? OneByte : TwoBytes)[code.Value & 0xFF] = code;
            }
        }
    }

    /// <returns>Null when the method has no body here, or one that is not understood.</returns>
    internal static List<Instruction>? Of(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } body)
        {
            return null;
        }

        var instructions = new List<Instruction>(body.Length / 3);
        for (var at = 0; at < body.Length;)
        {
            var isLong = body[at] == TwoByteMark;
            if (isLong && at + 1 >= body.Length)
            {
                return null;
            }

            var code = isLong ? TwoBytes[body[at + 1]] : OneByte[body[at]];
            at += isLong ? 2 : 1;
            if (code.Name is null)
            {
                return null;
            }

            var operand = code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                _ => 4,
            };
            if (at + operand > body.Length)
            {
                return null;
            }

            var number = operand == 4 ? BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(at)) : 0;
            var isToken = code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok;
            instructions.Add(new Instruction(code, isToken ? number : 0));
            at += code.OperandType == OperandType.InlineSwitch ? 4 + checked(4 * number) : operand;
        }

        return instructions;
    }
}
