namespace RpOrleans.Gateway.Resp;

/// <summary>Whole numbers as Redis takes them (<c>string2ll</c>): nothing but digits and a leading minus, and no zero in front.</summary>
internal static class Digits
{
    private const int LongestNumber = 20;

    /// <summary>Reads a number.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="number">What it says.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out long number)
    {
        number = 0;
        if (text.Length is 0 or > LongestNumber)
        {
            return false;
        }

        if (text.Length == 1 && text[0] == '0')
        {
            return true;
        }

        var negative = text[0] == '-';
        var digits = negative ? text[1..] : text;
        if (digits.IsEmpty || digits[0] is < (byte)'1' or > (byte)'9')
        {
            return false;
        }

        ulong value = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9' || value > (ulong.MaxValue - (ulong)(digit - '0')) / 10)
            {
                return false;
            }

            value = (value * 10) + (ulong)(digit - '0');
        }

        if (value > (negative ? 1UL << 63 : long.MaxValue))
        {
            return false;
        }

        number = negative ? (long)(0 - value) : (long)value;
        return true;
    }
}
