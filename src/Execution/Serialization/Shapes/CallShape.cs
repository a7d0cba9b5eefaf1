using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Calls that are alike: the same function, the same kinds of arguments. Written and read by code that is compiled for them once.</summary>
internal abstract class CallShape
{
    private protected const byte Bare = 0;
    private protected const byte Function = 1;
    private protected const byte AsyncFunction = 2;
    private protected const byte Outcome = 3;

    private const int DeepestOutcome = 8;

    /// <summary>Memory for each call.</summary>
    internal abstract int Memory { get; }

    internal static CallShape Read(PayloadReader reader, DecodingContext context) => Read(reader, context, 0);

    internal abstract DecodedCalls NewCalls(int count);

    internal abstract DecodedCalls Decode(GraphReader reader, int count);

    /// <summary>Reads calls of this shape to their places among others.</summary>
    internal abstract void Decode(GraphReader reader, DecodedCalls into, ReadOnlySpan<int> places);

    private protected static T Make<T>(Type open, Type[] arguments, params object?[] parameters) =>
        (T)Activator.CreateInstance(
            open.MakeGenericType(arguments), BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DoNotWrapExceptions, null, parameters, null)!;

    private static CallShape Read(PayloadReader reader, DecodingContext context, int depth)
    {
        var form = reader.ReadByte();
        if (form == Outcome)
        {
            if (depth >= DeepestOutcome)
            {
                throw PayloadReader.Malformed("it is nested too deeply");
            }

            var inner = Read(reader, context, depth + 1);
            return Make<CallShape>(typeof(OutcomeShape<>), inner.GetType().BaseType!.GetGenericArguments(), inner);
        }

        var result = context.Types.Read(reader);
        if (form == Bare)
        {
            return Make<CallShape>(typeof(BareShape<>), [result], reader, context);
        }

        if (form > Outcome)
        {
            throw PayloadReader.Malformed("calls are written in an unknown way");
        }

        var function = context.Types.Read(reader);
        var arguments = context.Types.Read(reader);
        return Make<CallShape>(typeof(FunctionCallShape<,,>), [function, arguments, result], reader, context, form == AsyncFunction);
    }
}
